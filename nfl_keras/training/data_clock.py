"""How long training steps wait for their data."""

import collections
import time

import tensorflow as tf


class DataClock:
    """Notes when each batch is there, to tell how long its step waited for it.

    Keras takes a batch inside the compiled step, where no callback sees it. The last stage of
    the pipeline sees it: it runs when a batch is there, in the step that asked for it or in a
    thread that is ahead. What of that lies after the step began, the step waited.

    Example:

    >>> clock = DataClock()
    >>> progress = Progress(epochs, len(batches), batch_size, clock)
    >>> model.fit(clock.watch(batches), epochs=epochs, callbacks=[progress], shuffle=False)
    """

    def __init__(self):
        self._arrivals = collections.deque()

    def watch(self, batches):
        """The same batches, from a pipeline that notes when each is there.

        Args:
            batches: `tf.data.Dataset`, to be used up by one `fit`.

        Returns:
            A `tf.data.Dataset` with the same elements and length.
        """

        def note(*batch):
            tf.numpy_function(self._note, [], [])
            return batch

        options = tf.data.Options()
        # A thread of its own for this stage would be ahead of the steps by another batch.
        options.experimental_optimization.inject_prefetch = False
        return batches.map(note).with_options(options)

    def waited(self, since):
        """Seconds that the step after the one last asked for waited for its data.

        Args:
            since: float, when the step began, by `time.perf_counter`.

        Returns:
            float.
        """
        arrival = self._arrivals.popleft() if self._arrivals else since
        return max(arrival - since, 0.0)

    def _note(self):
        self._arrivals.append(time.perf_counter())
