import os

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import decode
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.export.decode_crops import decode_crops, read_headers
from nfl_keras.servable.status import DAMAGED, EMPTY, NOT_AN_IMAGE, OK, TOO_LARGE, UNSUPPORTED

SIZE = 16
MANY = 100_000_000
EXIF = Image.Exif()
EXIF[0x0112] = 6


@pytest.fixture(scope="module")
def crops_of():
    """Function from encoded images to statuses `[N]` and pixels `[N, crops, 16, 16, 3]`."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string), tf.TensorSpec((), tf.int32)])
    def graph(images, max_pixels):
        return decode_crops(images, read_headers(images, SIZE, max_pixels), SIZE, 3)

    def crops_of(images, max_pixels=MANY):
        images = tf.constant(images, tf.string, (len(images),))
        statuses, rows, pixels = (part.numpy() for part in graph(images, max_pixels))
        if not (statuses == OK).any():
            assert rows.tolist() == [len(images)]
            assert pixels.shape == (1, 3, SIZE, SIZE, 3)
            assert not pixels.any()
        else:
            assert sorted(rows) == np.flatnonzero(statuses == OK).tolist()
        all_pixels = np.zeros((len(images) + 1, *pixels.shape[1:]), np.float32)
        all_pixels[rows] = pixels
        return statuses, all_pixels[:-1]

    return crops_of


def as_embed_has_it(content):
    """The way of `nfl.retrieval.embed`, where Pillow reads headers and rare formats."""
    checked, orientation = checked_bytes(content, "photograph")
    return inference_crops(decode(checked, -(-16 * SIZE // 15)), SIZE, 3, orientation).numpy()


def test_every_format_is_cropped_as_for_embed(crops_of, photographs):
    statuses, pixels = crops_of(list(photographs.values()))
    for kind, content, status, crops in zip(
        photographs, photographs.values(), statuses, pixels, strict=True
    ):
        assert status == OK, kind
        np.testing.assert_allclose(crops, as_embed_has_it(content), atol=1e-3, err_msg=kind)
        assert np.ptp(crops) > 50, kind


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize(
    "chunks", [{}, {"icc_profile": b"x" * 333}, {"exif": EXIF, "xmp": b"<x/>"}]
)
def test_every_webp_is_cropped_as_for_embed(
    crops_of, encoded, picture, lossless, transparent, chunks
):
    image = picture()
    if transparent:
        image.putalpha(Image.fromarray(np.arange(960, dtype=np.uint8).reshape(24, 40)))
    content = encoded(image, "WEBP", exact=True, lossless=lossless, **chunks)
    (status,), (crops,) = crops_of([content])
    assert status == OK
    np.testing.assert_allclose(crops, as_embed_has_it(content), atol=1e-3)


def test_a_webp_that_hides_its_frames_or_their_size_is_damaged(crops_of, encoded, picture, rare):
    animation = bytearray(rare["moving WebP"])
    animation[20] &= ~2  # the flag of an animation
    canvas = bytearray(encoded(picture(), "WEBP", icc_profile=b"x" * 333))
    assert canvas[24:30] == b"\x27\0\0\x17\0\0"
    canvas[24:30] = b"\x01\0\0\x01\0\0"
    plain = encoded(picture(), "WEBP")
    chunk_before = plain[:12] + b"XMP \0\0\0\0" + plain[12:]
    images = [bytes(animation), bytes(canvas), chunk_before]
    assert crops_of(images)[0].tolist() == [DAMAGED] * 3
    canvas[24:30] = b"\xff" * 6
    assert crops_of([bytes(canvas)])[0] == [TOO_LARGE]


@pytest.mark.parametrize(
    "shape", [(1, 1), (16, 16), (40, 24), (15, 300), (300, 15), (200, 331), (1, 2000)]
)
def test_every_shape_is_cropped_as_for_embed(crops_of, encoded, picture, shape):
    images = [encoded(picture(*shape), kind, quality=90) for kind in ("JPEG", "WEBP", "PNG")]
    statuses, pixels = crops_of(images)
    assert statuses.tolist() == [OK] * 3
    for content, crops in zip(images, pixels, strict=True):
        np.testing.assert_allclose(crops, as_embed_has_it(content), atol=1e-3)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_images_stand_upright(crops_of, encoded, picture, file_format):
    images = []
    for value in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = value
        images.append(encoded(picture(), file_format, exif=exif))
    for content, crops in zip(images, crops_of(images)[1], strict=True):
        np.testing.assert_allclose(crops, as_embed_has_it(content), atol=1e-3)


def test_each_bad_image_has_its_status_and_leaves_the_others_alone(
    crops_of, photographs, damaged, bombs, foreign, unsupported
):
    good = photographs["JPEG"]
    expected = {
        DAMAGED: damaged.values(),
        TOO_LARGE: bombs.values(),
        NOT_AN_IMAGE: foreign.values(),
        UNSUPPORTED: unsupported.values(),
        EMPTY: [b""],
    }
    images, codes = [good], [OK]
    for code, bad in expected.items():
        for content in bad:
            images += [content, good]
            codes += [code, OK]
    statuses, pixels = crops_of(images)
    assert statuses.tolist() == codes
    for status, crops in zip(statuses, pixels, strict=True):
        np.testing.assert_array_equal(crops, pixels[0] if status == OK else 0)
    for code, bad in expected.items():
        assert crops_of([next(iter(bad))])[0].tolist() == [code]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "lossless WebP", "BMP"])
def test_what_declares_one_pixel_too_many_is_not_decoded(crops_of, photographs, kind):
    images = [photographs[kind]]
    assert crops_of(images, max_pixels=24 * 40)[0] == [OK]
    statuses, pixels = crops_of(images, max_pixels=24 * 40 - 1)
    assert statuses == [TOO_LARGE]
    assert not pixels.any()


@pytest.mark.parametrize("turned", [False, True])
def test_no_side_is_longer_than_libpng_decodes(crops_of, encoded, turned):
    for side, status in ((1_000_000, OK), (1_000_001, TOO_LARGE)):
        content = encoded(Image.new("L", (1, side) if turned else (side, 1)))
        assert crops_of([content])[0] == [status]
        if status == OK:
            assert as_embed_has_it(content).shape == (3, SIZE, SIZE, 3)
        else:
            with pytest.raises(PhotographError, match="1,000,000 on a side"):
                checked_bytes(content, "photograph")


def test_memory_is_bounded_for_every_shape(in_a_fresh_process):
    printed = in_a_fresh_process(
        "import io, resource",
        "import numpy as np, tensorflow as tf",
        "from PIL import Image",
        "import nfl_keras as nfl",
        "from nfl_keras.export.decode_crops import decode_crops, read_headers",
        "def png(*extent):",
        "    buffer = io.BytesIO()",
        "    Image.new('RGB', extent, (9, 90, 200)).save(buffer, 'PNG', compress_level=1)",
        "    return buffer.getvalue()",
        "@tf.function",
        "def exported(images):",
        "    return decode_crops(images, read_headers(images, 224, 10**8), 224, 3)",
        "files = [png(60, 60), png(60, 60)]",
        "image_set = nfl.data.ImageSet(['a', 'b'], [0, 1], ['x', 'y'], files.__getitem__)",
        "training, inference = nfl.data.balanced_batches, nfl.data.inference_batches",
        "batches = training(image_set, 2, 1), inference(image_set)",
        "def use(photograph):",
        "    files[0] = photograph",
        "    for dataset in batches:",
        "        next(iter(dataset))",
        "    assert exported(tf.constant(files))[0].numpy().tolist() == [0, 0]",
        "def peak():",
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024",
        "use(png(60, 60))",
        "for extent in [(2000, 1), (1, 2000), (10**6, 1), (1, 10**6), (30000, 300), (300, 30000)]:",
        "    before = peak()",
        "    use(png(*extent))",
        "    print(*extent, peak() - before - 3 * np.prod(extent) / 2**20)",
    )
    rows = [line.split() for line in printed.splitlines()]
    assert len(rows) == 6
    for width, height, mebibytes in rows:
        assert float(mebibytes) < 100, (width, height)


def test_a_request_of_no_images_is_answered(crops_of):
    statuses, pixels = crops_of([])
    assert statuses.shape == (0,)
    assert len(pixels) == 0


CHANGES = st.tuples(
    st.sampled_from(["set", "cut", "insert", "repeat"]),
    st.integers(0, 2**16),
    st.binary(min_size=1, max_size=4),
)
MUTATED = st.tuples(st.integers(0, 2**16), st.lists(CHANGES, min_size=1, max_size=6))


def mutated(content, changes):
    for what, place, data in changes:
        # Half of the changes fall upon the header.
        place = place // 2 % 64 if place % 2 else place // 2 % (len(content) + 1)
        if what == "set":
            content = content[:place] + data + content[place + len(data) :]
        elif what == "cut":
            content = content[:place]
        elif what == "insert":
            content = content[:place] + data + content[place:]
        else:
            content = content[:place] + content[max(0, place - 40) :]
    return content


@pytest.fixture(scope="module")
def good(crops_of, photographs):
    """Two images that stand around bad ones, and their crops."""
    images = [photographs["PNG"], photographs["WebP"]]
    return images, crops_of(images)[1]


# NFL_KERAS_FUZZ=1250 tries 10,000 images.
@hypothesis.settings(max_examples=int(os.environ.get("NFL_KERAS_FUZZ", "25")))
@hypothesis.given(st.lists(MUTATED, min_size=8, max_size=8))
def test_mutated_images_raise_nothing_and_disturb_nobody(crops_of, photographs, rare, good, drawn):
    kinds = [*photographs.values(), *rare.values()]
    (first, last), expected = good
    bad = [mutated(kinds[kind % len(kinds)], changes) for kind, changes in drawn]
    statuses, pixels = crops_of([first, *bad, last], max_pixels=1_000_000)
    assert statuses[0] == statuses[-1] == OK
    np.testing.assert_array_equal(pixels[[0, -1]], expected)
    assert set(statuses) <= {OK, NOT_AN_IMAGE, DAMAGED, TOO_LARGE, EMPTY, UNSUPPORTED}
    assert np.isfinite(pixels).all()
    assert not pixels[statuses != OK].any()
