"""Galleries: a folder of photographs embedded once, and searched exactly."""

from nfl_keras.gallery.gallery import Gallery

__all__ = ["Gallery"]
