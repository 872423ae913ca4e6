"""Defines what a stranger may ask of the page."""

MAX_PHOTOGRAPH = 20 * 2**20  # bytes of a photograph
MAX_UPLOADS = 25 * MAX_PHOTOGRAPH  # bytes of all photographs that are kept
KEPT_SECONDS = 1800  # that a photograph is kept
MAX_ANSWERS = 100
MAX_CONDITIONS = 500  # characters
MAX_NUMBER = 24  # characters
MAX_WAITING = 32  # searches
MAX_SESSIONS = 100  # browsers whose last answers are remembered
MAX_CONNECTIONS = 300
MAX_REQUEST = 2**16  # bytes of a request that is no upload
GRACE_SECONDS = 5  # that requests under way get when the server stops
LEAST_PASSWORD = 8  # characters
WRONG_PASSWORD_SECONDS = 1.0  # that an answer to a wrong one takes
