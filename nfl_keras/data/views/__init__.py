"""How views and crops are cut from a photograph and recolored, as TensorFlow graphs."""
