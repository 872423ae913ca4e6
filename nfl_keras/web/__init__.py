"""The page on which a gallery is searched in a browser."""

from nfl_keras.web.page_server import PageServer
from nfl_keras.web.password import checked_password

__all__ = ["PageServer", "checked_password"]
