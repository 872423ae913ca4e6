"""Defines a training run: its settings, its folder, its progress and its evaluation."""
