from nfl_keras.gallery.faults.text_table import text_table


def test_rows_beyond_twenty_are_counted():
    lines = text_table("heading", ["number"], [[str(number)] for number in range(1022)]).split("\n")
    assert lines[:3] == ["heading", "number", "0"]
    assert lines[-2:] == ["19", "... and 1,002 more rows"]


def test_without_rows_it_is_the_heading():
    assert text_table("heading", ["number"], []) == "heading"
