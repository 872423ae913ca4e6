"""`nfl-keras index` and `search`, as a user calls them."""

import json
import re

import numpy as np
import pytest

import nfl_keras as nfl
from nfl_keras.__main__ import main as command


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "embedder.keras"
    nfl.models.Embedder("tiny", embedding_dim=16, image_size=16).save(path)
    return str(path)


@pytest.fixture
def gallery(images, embedder, place, capsys):
    folder = str(place("gallery"))
    (images / "bad.jpg").write_bytes(b"text")
    command(["index", str(images), "--model", embedder, "--gallery", folder])
    printed = capsys.readouterr().out
    assert "left out: bad.jpg: not an image\n" in printed
    assert f"{folder}: 7 photographs: 8 embedded now" in printed
    return folder


def failure(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command(arguments)
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.strip().splitlines()
    return line


def test_search_prints_a_table_json_and_a_page(gallery, images, tmp_path, capsys):
    queries = [str(images / "red/1.png"), str(images / "loose.png")]
    command(["search", *queries, "--gallery", gallery, "-k", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == queries[0]
    assert re.fullmatch(r" +1 +1\.000  red +red/1\.png", lines[1])
    page = tmp_path / "page.html"
    flags = ["-k", "2", "--json", "--html", str(page), "--threshold", "0.99"]
    command(["search", *queries, "--gallery", gallery, *flags])
    answers = json.loads(capsys.readouterr().out)
    assert [answer["query"] for answer in answers] == queries
    assert answers[0]["matches"][0]["is_match"] is True
    text = page.read_text()
    assert text.count("<img ") == 6
    assert "✓ green: a match" in text


def test_search_explains_the_first_answers_on_its_page(gallery, images, tmp_path, capsys):
    page = tmp_path / "page.html"
    flags = ["--gallery", gallery, "-k", "5", "--html", str(page), "--explain"]
    command(["search", str(images / "red/1.png"), str(images / "loose.png"), *flags])
    (images / "red/1.png").unlink()
    text = page.read_text()
    assert text.count("<img ") == 2 * (1 + 5 + 3 * 2)
    assert text.count("exact: the parts of all pairs of regions add up to it") == 6
    command(["search", str(images / "red/2.png"), *flags, "--crop", "2,2,8,8"])
    assert page.read_text().count("Why answer") == 2 * 2  # One is gone.


def test_search_by_ids_averages_and_conditions(gallery, images, capsys):
    flags = ["--gallery", gallery, "--json", "-k", "1"]
    command(["search", "--positive", "red/1.png", *flags, "--where", "label != red"])
    [answer] = json.loads(capsys.readouterr().out)
    assert answer["matches"][0]["label"] != "red"
    both = [str(images / name) for name in ("red/1.png", "red/2.png")]
    command(["search", *both, "--average", "--crop", "0,0,8,8", *flags])
    [answer] = json.loads(capsys.readouterr().out)
    assert answer["query"] == " + ".join(both)


def test_calibrate_learns_a_threshold_that_search_uses(tmp_path, place, png, embedder, capsys):
    rng = np.random.default_rng(0)
    for name in range(6):
        color = rng.integers(30, 220, 3)
        for number in range(12):
            path = tmp_path / "images" / f"{name}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(tuple(color + rng.integers(-9, 10, 3))))
    folder, page = str(place("gallery")), tmp_path / "curve.html"
    command(["index", str(tmp_path / "images"), "--model", embedder, "--gallery", folder])
    capsys.readouterr()
    asked = ["--precision", "0.6", "--confidence", "0.5", "--absent", "0.2"]
    command(["calibrate", folder, *asked, "--html", str(page)])
    printed = capsys.readouterr().out
    threshold = float(re.search(r"match: similarity of (\S+) or more", printed).group(1))
    assert "72 queries of 6 classes, gallery of 72" in printed
    assert "<svg" in page.read_text()
    learned = nfl.Gallery.open(folder)
    matches = learned.search(learned.vectors(["0/0.png"]), k=72)
    assert matches.threshold == pytest.approx(threshold, abs=1e-4)
    assert [m.is_match for m in matches[0]] == [
        m.similarity >= matches.threshold for m in matches[0]
    ]
    command(["calibrate", folder, str(tmp_path / "images"), *asked, "--json"])
    again = json.loads(capsys.readouterr().out)
    # The same photographs, embedded again: none of them finds itself.
    assert again["threshold"] == pytest.approx(threshold, abs=1e-4)
    assert "is not reached" in failure(["calibrate", folder, "--precision", "1"], capsys)
    assert nfl.Gallery.open(folder).search(np.ones(16), k=1).threshold == again["threshold"]


def test_inspect_prints_faults_and_writes_a_page(images, embedder, place, tmp_path, capsys):
    (images / "blue/copy.png").write_bytes((images / "red/1.png").read_bytes())
    table = images / "catalog.csv"
    rows = ["red/1.png,red,train", "blue/copy.png,blue,test", "green/1.png,green,train"]
    table.write_text("\n".join(["path,label,split", *rows]))
    folder, page = str(place("gallery")), tmp_path / "faults.html"
    command(["index", str(table), "--model", embedder, "--gallery", folder])
    capsys.readouterr()
    flags = ["--split", "split", "--threshold", "0.9999", "--html", str(page)]
    command(["inspect", folder, *flags])
    printed = capsys.readouterr().out
    assert "groups: 1, of identical files: 1, with different labels: 1" in printed
    assert page.read_text().count("<img ") == 4
    command(["inspect", folder, *flags, "--other", folder, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"duplicates", "leaks between splits", "leaks", "suspects"}
    names = ["inspect", folder, "--split", "part"]
    assert "there is no column 'part'; the columns are id, label, split" in failure(names, capsys)


def test_a_second_index_embeds_what_is_new(gallery, images, embedder, png, capsys):
    (images / "new.png").write_bytes(png((1, 2, 200)))
    command(["index", str(images), "--model", embedder, "--gallery", gallery])
    assert "8 photographs: 1 embedded now, 0 moved" in capsys.readouterr().out


def test_a_served_model_indexes_too(images, tmp_path, capsys):
    made = nfl.models.Embedder("tiny", embedding_dim=16, image_size=16)
    nfl.export_model(made, tmp_path / "models")
    folder = str(tmp_path / "gallery")
    (images / "bad.jpg").write_bytes(b"text")
    with nfl.serving.Server(tmp_path / "models", port=0) as server:
        address = f"localhost:{server.port}"
        command(["index", str(images), "--model", address, "--gallery", folder])
        ids = nfl.Gallery.open(folder).items["id"].to_pylist()
        here = nfl.Gallery.build(images, made, tmp_path / "here")
        served = nfl.Gallery.open(folder)
        np.testing.assert_allclose(served.vectors(ids), here.vectors(ids), atol=1e-5)
        assert served.left_out == {"bad.jpg": "not an image"}
        command(["search", str(images / "red/1.png"), "--gallery", folder, "-k", "1"])
        assert "red/1.png" in capsys.readouterr().out
    (images / "later.png").write_bytes((images / "red/1.png").read_bytes()[:-1] + b"x")
    line = failure(["index", str(images), "--model", address, "--gallery", folder], capsys)
    assert address in line
    assert len(nfl.Gallery.open(folder)) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "gone", "--model", "tiny", "--gallery", "x"], "there is no folder 'gone'"),
        (["search", "a.jpg", "--gallery", "gone"], "'gone' is not a gallery"),
        (["search", "a.jpg", "--gallery", "gone", "--open"], "name its file by --html"),
        (["search", "a.jpg", "--gallery", "gone", "--explain"], "give photographs, and --html"),
        (
            ["search", "a.jpg", "--average", "--gallery", "g", "--explain", "--html", "p.html"],
            "compares two photographs",
        ),
    ],
)
def test_mistakes_are_answered_in_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in failure(arguments, capsys)
