import pytest

from nfl_keras.training.callbacks import progress as module
from nfl_keras.training.callbacks.progress import Progress


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
            progress.on_train_batch_begin(batch)
            tracing = epoch == batch == 0
            clock.now += 50.0 if tracing else 2.0
            progress.on_train_batch_end(batch, {"loss": 1.0})
        clock.now += 1000.0  # an evaluation
        progress.on_epoch_end(epoch, {"loss": 1.5, "recall@1": 0.25})
    assert progress.images_per_second == pytest.approx(10 / 2.0)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "epoch 1/2 | loss 1.500  recall@1 0.250 | 5 images/s, 0:06 left"
    assert second.endswith("0:00 left")


def test_an_epoch_tells_the_share_of_its_time_that_steps_waited(clock, capsys):
    class Waited:
        steps = 0

        def waited(self, since):
            assert since == clock.now - 2.0
            self.steps += 1
            return 1.0 if self.steps <= 3 else 0.25

    progress = Progress(epochs=2, batches_per_epoch=3, batch_size=10, clock=Waited())
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        for batch in range(3):
            progress.on_train_batch_begin(batch)
            clock.now += 2.0
            progress.on_train_batch_end(batch, {"loss": 1.0})
        clock.now += 1000.0
        progress.on_epoch_end(epoch, {"loss": 1.5})
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("| 5 images/s, 0:06 left | 50.0% waiting for data")
    assert second.endswith("| 5 images/s, 0:00 left | 12.5% waiting for data")
    # Without the time of the first step, and without that between epochs.
    assert progress.pace == {"images": [30, 60], "seconds": [4.0, 10.0]}
    assert progress.waiting_share == pytest.approx((2 * 1.0 + 3 * 0.25) / 10)


def test_a_run_that_resumes_has_less_left_and_keeps_its_speed(clock, capsys, monkeypatch):
    monkeypatch.setattr(module.sys.stdout, "isatty", lambda: True)
    progress = Progress(epochs=2, batches_per_epoch=4, batch_size=10)
    state = {"batches_done": 6, "batches_timed": 5, "seconds": 10.0, "seconds_waited": 1.0}
    state["pace"] = {"images": [30], "seconds": [6.0]}
    progress.restore(state)
    assert progress.state() == state
    progress.on_epoch_begin(1)
    for batch, seconds in enumerate([50.0, 8.0]):
        progress.on_train_batch_begin(batch)
        clock.now += seconds
        progress.on_train_batch_end(batch, {"loss": 1.0})
    printed = capsys.readouterr().out
    assert "epoch 2/2 | batch 3/4 | loss 1.000 | 5 images/s, 0:02 left" in printed
    assert "epoch 2/2 | batch 4/4 | loss 1.000 | 3 images/s, 0:00 left" in printed
    assert progress.images_per_second == pytest.approx(6 * 10 / 18)


def test_no_speed_is_printed_before_a_batch_was_timed(clock, capsys):
    progress = Progress(epochs=2, batches_per_epoch=1, batch_size=10)
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        progress.on_train_batch_begin(0)
        clock.now += 50.0 if epoch == 0 else 2.0
        progress.on_train_batch_end(0, {"loss": 1.0})
        progress.on_epoch_end(epoch, {"loss": 1.5})
    first, second = capsys.readouterr().out.splitlines()
    assert first == "epoch 1/2 | loss 1.500"
    assert second == "epoch 2/2 | loss 1.500 | 5 images/s, 0:00 left"
