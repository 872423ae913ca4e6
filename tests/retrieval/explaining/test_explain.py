"""The parts of a similarity add up to it, and lie where the photographs are."""

import itertools

import keras
import keras_hub
import numpy as np
import pytest
from PIL import ExifTags, Image

from nfl_keras.data import ImageSet
from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.errors import UserError
from nfl_keras.models import Embedder
from nfl_keras.retrieval import embed, explain

SIZE, REGIONS = 16, 4


def embedded(embedder, contents, crops):
    ids = [str(number) for number in range(len(contents))]
    image_set = ImageSet(ids, [0] * len(ids), ["all"], contents.__getitem__)
    return embed(embedder, image_set, crops).astype(np.float64)


def regions_by_loops(embedder, pixels, crops):
    """Returns `{(crop, y, x): what the region adds to the embedding}` in float64."""
    cut = np.asarray(inference_crops(pixels, SIZE, crops))
    maps = keras.ops.convert_to_numpy(embedder.backbone(cut / 127.5 - 1)).astype(np.float64)
    maps = maps.reshape(crops, REGIONS, REGIONS, 6)
    kernel, bias = np.eye(6), np.zeros(6)
    if embedder.embedding_dim is not None:
        kernel, bias = embedder.get_layer("projection").get_weights()
    gamma, mean, variance = np.ones(len(bias)), np.zeros(len(bias)), np.ones(len(bias)) - 1e-3
    if embedder.neck:
        gamma, mean, variance = embedder.get_layer("neck").get_weights()
    scale = gamma / np.sqrt(variance + 1e-3)
    parts, units = {}, []
    for crop in range(crops):
        projected = {}
        for y, x in itertools.product(range(REGIONS), repeat=2):
            projected[y, x] = [
                scale[d]
                * (sum(maps[crop, y, x, c] * kernel[c, d] for c in range(6)) + bias[d] - mean[d])
                / REGIONS**2
                for d in range(kernel.shape[1])
            ]
        whole = np.sum(list(projected.values()), axis=0)
        units.append(whole / np.sqrt((whole**2).sum()))
        for (y, x), part in projected.items():
            parts[crop, y, x] = np.array(part) / np.sqrt((whole**2).sum()) / crops
    norm = np.sqrt((np.mean(units, axis=0) ** 2).sum())
    return {place: part / norm for place, part in parts.items()}


@pytest.mark.parametrize(
    ("crops", "embedding_dim", "kind"),
    [(1, 5, "maps"), (3, 5, "maps"), (3, None, "maps"), (1, None, "tokens"), (3, 5, "tokens")],
)
@pytest.mark.parametrize("neck", [False, True])
def test_parts_add_up_to_the_similarity(
    make_embedder, photograph, png, crops, embedding_dim, kind, neck
):
    embedder = make_embedder("mean", embedding_dim, kind, neck=neck)
    a, b = photograph(1), photograph(2, (20, 38))
    found = explain(embedder, png(a), png(b), crops, links=1)
    of_a, of_b = (regions_by_loops(embedder, pixels, crops) for pixels in (a, b))
    by_loops = sum(float(np.dot(p, q)) for p in of_a.values() for q in of_b.values())
    first, second = embedded(embedder, [png(a), png(b)], crops)
    assert by_loops == pytest.approx(float(first @ second), abs=1e-5)
    assert found.similarity == pytest.approx(float(first @ second), abs=1e-5)
    for of_one in found.maps:
        assert of_one.sum() == pytest.approx(float(first @ second), abs=1e-5)
    assert (found.is_exact, found.method) == (True, "regions")


def test_the_map_is_what_regions_add_where_they_lie(make_embedder, photograph, png):
    embedder = make_embedder("mean", neck=True)
    a, b = photograph(1, (29, 20)), photograph(2, (20, 20))
    found = explain(embedder, png(a), png(b), crops=3)
    whole = round(29 * SIZE / 20)
    starts = [(whole - SIZE) // 2, 0, whole - SIZE]
    assert found.maps[0].shape == (REGIONS, round(29 * REGIONS / 20))
    # Pixels of the resized photograph, each divided into 60 columns that lie on one cell each.
    fine = np.zeros((SIZE, 60 * whole))
    embedding = sum(regions_by_loops(embedder, b, 3).values())
    for (crop, y, x), part in regions_by_loops(embedder, a, 3).items():
        left = 60 * (starts[crop] + x * SIZE // REGIONS)
        columns = slice(left, left + 60 * SIZE // REGIONS)
        fine[y * SIZE // REGIONS : (y + 1) * SIZE // REGIONS, columns] += (
            part @ embedding / (60 * (SIZE // REGIONS) ** 2)
        )
    cells = fine.reshape(REGIONS, SIZE // REGIONS, found.maps[0].shape[1], -1).sum(axis=(1, 3))
    np.testing.assert_allclose(found.maps[0], cells, atol=1e-6)


def test_links_are_the_largest_pairs_in_pixels(make_embedder, photograph, png):
    embedder = make_embedder("mean")
    a, b = photograph(3, (40, 40)), photograph(4, (80, 80))
    found = explain(embedder, png(a), png(b), crops=1, links=16)
    of_a, of_b = (regions_by_loops(embedder, pixels, 1) for pixels in (a, b))
    pairs = {(p, q): float(of_a[p] @ of_b[q]) for p in of_a for q in of_b}
    expected = []
    while pairs and max(pairs.values()) > 0:
        (p, q), part = max(pairs.items(), key=lambda item: item[1])
        expected.append((p, q, part))
        pairs = {pair: value for pair, value in pairs.items() if p != pair[0] and q != pair[1]}
    assert len(found.links) == len(expected) > 3
    for link, ((_, y, x), (_, v, u), part) in zip(found.links, expected, strict=True):
        assert link.a == (10 * x, 10 * y, 10, 10)
        assert link.b == (20 * u, 20 * v, 20, 20)
        assert link.part == pytest.approx(part, abs=1e-6)
    assert explain(embedder, png(a), png(b), crops=1, links=2).links == found.links[:2]


@pytest.mark.parametrize("pooling", ["max", "gem"])
def test_other_pooling_adds_up_too_and_is_named_approximate(
    make_embedder, photograph, png, pooling
):
    embedder = make_embedder(pooling, neck=True)
    contents = [png(photograph(1)), png(photograph(2))]
    found = explain(embedder, *contents)
    first, second = embedded(embedder, contents, 3)
    for of_one in found.maps:
        assert of_one.sum() == pytest.approx(float(first @ second), abs=1e-5)
    assert (found.is_exact, found.method) == (False, "regions, by the gradient of pooling")
    assert "approximate" in repr(found)


def test_low_precision_adds_up_to_what_it_computes(make_embedder, photograph, png):
    embedder = make_embedder("mean", dtype="mixed_bfloat16")
    contents = [png(photograph(1)), png(photograph(2))]
    found = explain(embedder, *contents)
    first, second = embedded(embedder, contents, 3)
    # It rounds otherwise in a graph than outside of one.
    assert found.similarity == pytest.approx(float(first @ second), abs=2e-3)
    for of_one in found.maps:
        assert of_one.sum() == pytest.approx(found.similarity, abs=1e-9)


def test_one_is_explained_with_many_in_every_form(make_embedder, photograph, png, tmp_path):
    embedder = make_embedder("mean")
    pixels = [photograph(seed) for seed in range(3)]
    path = tmp_path / "b.png"
    path.write_bytes(png(pixels[2]))
    found = explain(embedder, png(pixels[0]), [pixels[1], path, Image.fromarray(pixels[2])])
    assert len(found) == 3
    alone = explain(embedder, pixels[0], png(pixels[2]))
    for one in found[1:]:
        assert one.similarity == alone.similarity
        np.testing.assert_array_equal(one.maps[1], alone.maps[1])
        assert one.links == alone.links
    assert explain(embedder, pixels[0], []) == []


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_maps_and_pictures_stand_upright(make_embedder, photograph, png, orientation):
    upright = photograph(1, (27, 20))
    turned = {2: upright[:, ::-1], 3: upright[::-1, ::-1]}
    turned |= {6: np.rot90(upright), 8: np.rot90(upright, -1)}
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = png(np.ascontiguousarray(turned[orientation]), exif=exif)
    embedder = make_embedder("mean")
    found, plain = explain(embedder, upright, [stored, upright])
    np.testing.assert_allclose(found.maps[1], plain.maps[1], atol=1e-6)
    assert found.extents[1] == (20, 27)
    np.testing.assert_array_equal(np.asarray(found.pictures[1]), upright)


def test_what_the_crops_do_not_show_adds_nothing(make_embedder, photograph):
    found = explain(make_embedder("mean"), photograph(1, (300, 20)), photograph(2), crops=1)
    assert found.maps[0].shape == (REGIONS, 4 * REGIONS)
    np.testing.assert_array_equal(found.maps[0][:, :7], 0)
    assert found.maps[0].sum() == pytest.approx(found.similarity, abs=1e-6)
    drawn, _ = found.draw(100)
    assert drawn.size == (100, 7)


def test_a_vision_transformer_is_explained_by_gradients(photograph):
    keras.utils.set_random_seed(0)
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 16, "patch_size": 4}
    backbone = keras_hub.models.ViTBackbone(image_shape=(SIZE, SIZE, 3), **sizes)
    embedder = Embedder(backbone, 5, SIZE, 1 / 127.5, -1.0)
    assert embedder.pooling == "auto"
    a, b = photograph(1), photograph(2)
    found = explain(embedder, a, b)
    assert (found.is_exact, found.method, found.links) == (False, "gradient", ())
    assert found.maps[0].shape == (REGIONS, 6)
    assert all(np.abs(of_one).max() > 0 for of_one in found.maps)
    assert not any("call" in vars(layer) for layer in backbone._flatten_layers())
    mean = explain(Embedder(backbone, 5, SIZE, pooling="mean"), a, b)
    assert mean.is_exact
    assert mean.maps[0].sum() == pytest.approx(mean.similarity, abs=1e-6)


def test_what_cannot_be_explained_is_said_in_one_line(make_embedder, photograph, png):
    pixels = keras.Input((SIZE, SIZE, 3))
    plain = keras.Model(pixels, keras.layers.Flatten()(pixels))
    a, b = photograph(1), photograph(2)
    with pytest.raises(UserError, match=r"only an nfl\.models\.Embedder can be explained, not a F"):
        explain(plain, a, b)
    with pytest.raises(UserError, match="has places"):
        explain(Embedder(plain, 4, SIZE), a, b)
    tokens = keras.Model(pixels, keras.layers.Reshape((6, 128))(pixels))
    with pytest.raises(UserError, match="6 tokens, which are no square"):
        explain(Embedder(tokens, 4, SIZE, pooling="mean"), a, b)
    embedder = make_embedder("mean")
    with pytest.raises(UserError, match=r"'gone\.jpg' cannot be used"):
        explain(embedder, "gone.jpg", b)
    with pytest.raises(UserError, match="'#2' cannot be used: not an image"):
        explain(embedder, a, b"text")
    with pytest.raises(UserError, match="'#1' cannot be used: truncated or damaged"):
        explain(embedder, png(a)[:200], b)
    with pytest.raises(UserError, match="crops must be 1 or 3"):
        explain(embedder, a, b, crops=2)
    with pytest.raises(UserError, match="links must be"):
        explain(embedder, a, b, links=0)
