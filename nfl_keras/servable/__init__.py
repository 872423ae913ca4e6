"""What export, client and server agree on: folders, status codes, signature names, warm-up."""
