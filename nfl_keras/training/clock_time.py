"""Defines the words for a duration."""


def clock_time(duration: float) -> str:
    """Writes a duration in seconds as a clock does.

    Example:

    >>> from nfl_keras.training.clock_time import clock_time
    >>> clock_time(75), clock_time(3675)
    ('1:15', '1:01:15')
    """
    minutes, seconds = divmod(round(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
