import pytest

from nfl_keras.errors import UserError
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.open_photographs import open_photographs


def test_a_bad_photograph_stops_the_run(config_of, two_bad):
    with pytest.raises(UserError, match="2 of 48 photographs cannot be used") as refused:
        open_photographs(config_of())
    for name, reason in two_bad.items():
        assert f"{name} ({reason})" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_bad_photographs_are_skipped(config_of, two_bad, capsys):
    dataset, bad = open_photographs(config_of(on_bad_image="skip"))
    assert bad == two_bad
    assert len(dataset.whole) == 46
    assert set(dataset.whole.ids).isdisjoint(two_bad)
    assert "photographs left out that cannot be used: 2" in dataset.split("train").description
    assert "2 of 48 photographs cannot be used" in capsys.readouterr().out


@pytest.mark.parametrize("on_bad_image", ["stop", "skip"])
def test_good_photographs_are_all_there(config_of, on_bad_image, capsys):
    dataset, bad = open_photographs(config_of(on_bad_image=on_bad_image))
    assert bad == {}
    assert len(dataset.whole) == 48
    assert dataset.whole.description == ""
    assert capsys.readouterr().out == ""


def test_where_every_photograph_is_bad_no_dataset_is_left(config_of, photographs):
    for path in photographs.glob("*/*.jpg"):
        path.write_text("gone")
    with pytest.raises(UserError, match=r"48 of 48 .* used: class 0/0\.jpg"):
        open_photographs(config_of(on_bad_image="skip"))


def test_without_the_check_nothing_is_read(config_of, two_bad):
    dataset, bad = open_photographs(config_of(check_images=False))
    assert bad == {}
    assert set(two_bad) <= set(dataset.whole.ids)


def test_missing_photographs_of_a_table_are_asked_about(photographs):
    names = sorted(p.relative_to(photographs) for p in photographs.glob("*/*.jpg"))
    rows = [f"{name},{name.parent}" for name in names]
    (photographs / "some.csv").write_text("\n".join(["path,label", *rows]))
    (photographs / "class 3" / "5.jpg").unlink()
    table = str(photographs / "some.csv")
    with pytest.raises(UserError, match=r"class 3/5\.jpg"):
        open_photographs(TrainConfig.from_settings(dataset=table))
    dataset, bad = open_photographs(TrainConfig.from_settings(dataset=table, missing_images="skip"))
    assert bad == {}
    assert len(dataset.whole) == 47
    assert "in part: 47 of 48 photographs" in dataset.whole.description
