"""What export, client and server agree on: version folders, status codes, signatures, warm-up."""
