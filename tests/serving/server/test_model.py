"""The folders of models, and the choice of their versions."""

import pytest
from tensorflow_serving.config import file_system_storage_path_source_pb2 as source_pb2

from nfl_keras.serving.server.model import fingerprint, wanted_versions
from nfl_keras.serving.server.models import find_models

Policy = source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy


def _folders(base, *names):
    for name in names:
        (base / name).mkdir(parents=True)


def test_a_folder_is_one_model_or_holds_several(tmp_path):
    _folders(tmp_path, "one/1", "several/birds/1", "several/cars/3", "several/none/x")
    _folders(tmp_path, "several/.hidden/1")
    assert find_models(tmp_path / "one") == {"one": tmp_path / "one"}
    several = tmp_path / "several"
    assert find_models(several) == {"birds": several / "birds", "cars": several / "cars"}
    assert find_models(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (Policy(), ([5, 3, 1], 1)),
        (Policy(latest={"num_versions": 2}), ([5, 3, 1], 2)),
        (Policy(all={}), ([5, 3, 1], 3)),
        (Policy(specific={"versions": [1, 3, 9]}), ([3, 1], 2)),
    ],
)
def test_policies_choose_versions(policy, wanted):
    assert wanted_versions(policy, [1, 5, 3]) == wanted


def test_a_fingerprint_changes_with_a_file(tmp_path):
    (tmp_path / "a").write_text("1")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    (tmp_path / "a").write_text("12")
    assert fingerprint(tmp_path) != before
