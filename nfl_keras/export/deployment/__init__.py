"""What a TF Serving deployment needs beside the models."""

from nfl_keras.export.deployment.rendering import render_deployment

__all__ = ["render_deployment"]
