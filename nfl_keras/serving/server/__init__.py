"""The embedded server: TensorFlow Serving's API where no TensorFlow Serving runs."""

from nfl_keras.serving.server.batching import Batching
from nfl_keras.serving.server.limits import Limits
from nfl_keras.serving.server.server import Server
from nfl_keras.serving.server.tls import Tls

__all__ = ["Batching", "Limits", "Server", "Tls"]
