import pytest

from nfl_keras.training import progress as module
from nfl_keras.training.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""

    class Clock:
        now = 100.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_speed_and_time_left_leave_out_tracing_and_evaluation(clock, capsys):
    progress = Progress(epochs=2, batches_per_epoch=3, batch_size=10)
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        for batch in range(3):
            tracing = epoch == batch == 0
            clock.now += 50.0 if tracing else 2.0
            progress.on_train_batch_end(batch, {"loss": 1.0})
        clock.now += 1000.0  # an evaluation
        progress.on_epoch_end(epoch, {"loss": 1.5, "recall@1": 0.25})
    assert progress.images_per_second == pytest.approx(10 / 2.0)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "epoch 1/2 | loss 1.500  recall@1 0.250 | 5 images/s, 0:06 left"
    assert second.endswith("0:00 left")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3725, "1:02:05")]
)
def test_durations(seconds, text):
    assert module._clock(seconds) == text
