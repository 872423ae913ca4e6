"""A training run: its settings, its folder, its progress, its evaluation."""
