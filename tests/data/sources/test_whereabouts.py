from nfl_keras.data.sources.whereabouts import Whereabouts

FLOWERS = Whereabouts("flowers", ["a shop", "a field"], "rose/\n  a.jpg")


def test_a_dataset_not_found_shows_places_tree_and_command():
    assert str(FLOWERS.not_found("my data")) == (
        "flowers is not found in 'my data', which is no folder. Get it from one of:\n"
        "  a shop\n"
        "  a field\n"
        "Expected in 'my data':\n"
        "  rose/\n"
        "    a.jpg\n"
        "Then run again, for example:\n"
        "  python -m nfl_keras.train --dataset flowers --data-dir 'my data'"
    )
    assert str(FLOWERS.not_found(None)).startswith(
        "flowers is not found, since no data_dir is given."
    )
    assert "Expected in FOLDER:" in str(FLOWERS.not_found(None))
    assert str(FLOWERS.not_found(None, reason="is sold out")).startswith("flowers is sold out. ")


def first_line(tmp_path, expected=None):
    return str(FLOWERS.not_found(tmp_path, expected)).partition(". Get it")[0]


def test_a_folder_of_other_names_shows_the_first_expected_and_the_first_found(tmp_path):
    not_found = f"flowers is not found in {str(tmp_path)!r}"
    assert first_line(tmp_path) == not_found
    expected = tmp_path / "rose" / "01.jpg"
    shown = f"{not_found}: its first photograph should be {str(expected)!r}, and there is"
    assert first_line(tmp_path, expected) == f"{shown} no photograph"
    for name in ("rose/.1.jpg", "rose/2.jpg", "rose/1.JPG", "rose/0.txt", "iris/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert first_line(tmp_path, expected) == f"{shown} {str(tmp_path / 'rose' / '1.JPG')!r}"
    iris = str(tmp_path / "iris" / "1.jpg")
    assert first_line(tmp_path, tmp_path / "tulip" / "1.jpg").endswith(f"and there is {iris!r}")
    assert first_line(tmp_path) == f"{not_found} (its first photograph is {iris!r})"
