from nfl_keras.data.sources.whereabouts import Whereabouts

FLOWERS = Whereabouts("flowers", ["a shop", "a field"], "rose/\n  a.jpg")


def test_a_dataset_not_found_shows_places_tree_and_command():
    assert str(FLOWERS.not_found("my data")) == (
        "flowers is not found in 'my data'. Get it from one of:\n"
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
    assert str(FLOWERS.not_found(None, "is sold out")).startswith("flowers is sold out. ")
