"""Models as they appear, are replaced, damaged and removed while they are served."""

import functools
import logging
import shutil
import threading
import time
import weakref

import pytest
import tensorflow as tf
from tensorflow_serving.apis import model_pb2

from nfl_keras.errors import UserError
from nfl_keras.servable import warmup
from nfl_keras.serving.server.loaded_model import collect_released
from nfl_keras.serving.server.models import Models
from nfl_keras.serving.server.serving_error import ServingError
from nfl_keras.serving.server.settings import Limits


@pytest.fixture
def watched(tmp_path):
    """Function that gives `Models` of a folder; `refresh` is then called by hand."""
    made = []

    def watch(directory=tmp_path):
        made.append(Models(directory, Limits(), 3600))
        return made[-1]

    yield watch
    for models in made:
        models.stop()


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    return folder


def _scale(models, name="tiny", **spec):
    version = models.find_version(model_pb2.ModelSpec(name=name, **spec))
    outputs = version.run("serving_default", {"images": [b"a"]})
    assert outputs["embedding"][0, 0] == version.number
    return version.number


def _states(models):
    return {s.version: s.State.Name(s.state) for s in models.served["tiny"].statuses()}


def test_the_newest_version_answers(watched, base, install):
    for number in (1, 3, 2):
        install(base, number)
    models = watched(base)
    models.start()
    assert models.served.keys() == {"tiny"}
    assert _scale(models) == 3
    assert _states(models) == {3: "AVAILABLE"}


def test_a_new_version_takes_over_and_the_old_one_is_let_go(watched, base, install):
    install(base, 1)
    models = watched(base)
    models.start()
    old = models.find_version(model_pb2.ModelSpec(name="tiny"))
    loaded = weakref.ref(old)
    install(base, 2)
    models.refresh()
    assert _scale(models) == 2
    assert _states(models) == {1: "UNLOADING", 2: "AVAILABLE"}
    assert old.run("serving_default", {"images": [b"a"]})["embedding"][0, 0] == 1
    del old
    assert _states(models) == {1: "END", 2: "AVAILABLE"}
    assert loaded() is None
    with pytest.raises(ServingError, match=r"Specific\(tiny, 1\)"):
        _scale(models, version={"value": 1})


def test_removing_a_version_goes_back_to_the_one_before(watched, base, install):
    install(base, 1)
    install(base, 2)
    models = watched(base)
    models.start()
    shutil.rmtree(base / "2")
    models.refresh()
    assert _scale(models) == 1


def test_the_last_version_is_served_even_if_its_folder_goes(watched, base, install):
    install(base, 1)
    models = watched(base)
    models.start()
    shutil.rmtree(base)
    models.refresh()
    assert _scale(models) == 1


def _no_signature(folder):
    tf.saved_model.save(tf.Module(), str(folder))


DAMAGES = {
    "empty folder": lambda folder: [shutil.rmtree(folder), folder.mkdir()],
    "empty graph": lambda folder: (folder / "saved_model.pb").write_bytes(b""),
    "random graph": lambda folder: (folder / "saved_model.pb").write_bytes(bytes(range(256)) * 9),
    "cut graph": lambda folder: (folder / "saved_model.pb").write_bytes(
        (folder / "saved_model.pb").read_bytes()[:2000]
    ),
    "no variables": lambda folder: shutil.rmtree(folder / "variables"),
    "no index": lambda folder: (folder / "variables/variables.index").unlink(),
    "no signature": _no_signature,
}


@pytest.mark.parametrize("damage", [*DAMAGES, "cut variables"])
def test_a_corrupt_version_is_refused_in_one_line(damage, watched, base, install, corrupt, caplog):
    install(base, 1)
    models = watched(base)
    models.start()
    install(base, 2, damage=DAMAGES.get(damage, corrupt))
    with caplog.at_level(logging.INFO, "nfl_keras"):
        models.refresh()
        models.refresh()
    assert _scale(models) == 1
    (record,) = [r for r in caplog.records if r.name.startswith("nfl_keras")]
    assert "version 2 is refused" in record.getMessage()
    assert "\n" not in record.getMessage()
    status = models.served["tiny"].statuses(2)[0]
    assert status.State.Name(status.state) == "END"
    assert status.status.error_code
    assert status.status.error_message


def test_a_version_that_was_still_being_copied_is_tried_again(watched, base, install, exported):
    install(base, 1)
    models = watched(base)
    models.start()
    install(base, 2, damage=DAMAGES["no variables"])
    models.refresh()
    assert _scale(models) == 1
    shutil.copytree(exported(2) / "variables", base / "2/variables")
    models.refresh()
    assert _scale(models) == 2


def test_a_refusal_is_logged_again_only_for_another_reason(
    watched, base, install, exported, caplog
):
    install(base, 1)
    models = watched(base)
    models.start()
    folder = install(base, 2, damage=DAMAGES["no variables"])

    def messages_after(change):
        change()
        caplog.clear()
        with caplog.at_level(logging.INFO, "nfl_keras"):
            models.refresh()
        return [r.getMessage() for r in caplog.records if r.name.startswith("nfl_keras")]

    def grow():
        with (folder / "being_copied").open("ab") as file:
            file.write(b"more")

    (first,) = messages_after(lambda: None)
    assert "tiny: version 2 is refused" in first
    assert [messages_after(grow) for _ in range(3)] == [[]] * 3
    (other,) = messages_after((folder / "saved_model.pb").unlink)
    assert "tiny: version 2 is refused" in other
    assert other != first
    assert messages_after(grow) == []
    complete = functools.partial(shutil.copytree, exported(2), folder, dirs_exist_ok=True)
    assert messages_after(complete) == ["tiny: version 2 is served"]
    assert _scale(models) == 2


def test_a_start_falls_back_to_the_last_good_version(watched, base, install, corrupt):
    install(base, 1)
    install(base, 2, damage=corrupt)
    models = watched(base)
    models.start()
    assert _scale(models) == 1


def test_a_folder_with_nothing_to_serve_is_refused(watched, base, install, corrupt):
    with pytest.raises(UserError, match=r"no model version in .*tiny"):
        watched(base).start()
    with pytest.raises(UserError, match=r"no model version in .*nowhere"):
        watched(base / "nowhere").start()
    install(base, 2, damage=corrupt)
    with pytest.raises(UserError, match="tiny/2 cannot be loaded"):
        watched(base).start()


def test_several_models_are_served_and_more_may_come(watched, tmp_path, install):
    for name, number in (("birds", 1), ("cars", 2)):
        (tmp_path / name).mkdir()
        install(tmp_path / name, number)
    models = watched()
    models.start()
    assert [_scale(models, "birds"), _scale(models, "cars")] == [1, 2]
    (tmp_path / "roses").mkdir()
    install(tmp_path / "roses", 3)
    models.refresh()
    assert _scale(models, "roses") == 3


def test_warm_up_requests_are_answered_first(
    watched, base, install, write_warmup, predict_request, pixels, monkeypatch
):
    monkeypatch.setattr(warmup, "_MOST", 3)
    install(base, 1)
    models = watched(base)
    models.start()
    good = predict_request(name="named otherwise", images=[b"a"])
    bad = predict_request("embed_tensor", pixels=pixels(2e6))
    unknown = predict_request("no", images=[b"a"])
    for number, requests in enumerate([(good, bad), (unknown,), (good,) * 4], 2):
        install(base, number, damage=lambda f, r=requests: write_warmup(f, *r))
        models.refresh()
        assert _scale(models) == 1
        assert "warmup_requests" in models.served["tiny"].last_error
    install(base, 5, damage=lambda f: write_warmup(f, good, good))
    models.refresh()
    assert _scale(models) == 5

    def tear(folder):
        write_warmup(folder, good)
        file = folder / "assets.extra/tf_serving_warmup_requests"
        file.write_bytes(file.read_bytes()[:-5])

    install(base, 6, damage=tear)
    models.refresh()
    assert _scale(models) == 5


def test_every_request_finds_a_version_while_they_change(watched, base, install, exported):
    install(base, 1)
    models = watched(base)
    models.start()
    over = threading.Event()
    failures = []

    def find():
        while not over.is_set():
            try:
                assert models.find_version(model_pb2.ModelSpec(name="tiny")) is not None
                time.sleep(1e-4)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=find) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 6):
        install(base, number, scale=1 + number % 2)
        models.refresh()
        collect_released()
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert models.served["tiny"].available == [5]
