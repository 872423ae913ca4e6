"""Defines the clock that measures how long training steps wait for their data."""

import collections
import time

import tensorflow as tf


class DataClock:
    """A clock that notes when each batch arrives, and tells how long a step waited for it.

    Keras takes a batch inside the compiled step, where no callback sees it. The last stage of
    the pipeline sees the batch: it runs when the batch arrives, in the step that asks for it or
    ahead in another thread. A step has waited from its beginning until its batch arrived.

    Example:

    >>> import time
    >>> from nfl_keras.training.data_clock import DataClock
    >>> clock = DataClock()
    >>> batches = clock.watch(tf.data.Dataset.range(3))
    >>> began = time.perf_counter()
    >>> batch = next(iter(batches))
    >>> 0.0 <= clock.waited(since=began) < 60.0
    True
    """

    def __init__(self) -> None:
        self._arrivals: collections.deque[float] = collections.deque()

    def watch(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the same batches from a pipeline that notes when each arrives.

        Args:
            batches: `tf.data.Dataset`, to be used up by one `fit`.

        Returns:
            A `tf.data.Dataset` with the same elements and length.
        """

        def note(*batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
            tf.numpy_function(self._note, [], [])
            return batch

        options = tf.data.Options()
        # A thread of this stage's own would be ahead of the steps by one more batch.
        options.experimental_optimization.inject_prefetch = False
        return batches.map(note).with_options(options)

    def waited(self, since: float) -> float:
        """Returns how long the next step that has not been asked about waited for its data.

        Args:
            since: float, when the step began, by `time.perf_counter`.

        Returns:
            float, seconds.
        """
        arrival = self._arrivals.popleft() if self._arrivals else since
        return max(arrival - since, 0.0)

    def _note(self) -> None:
        self._arrivals.append(time.perf_counter())
