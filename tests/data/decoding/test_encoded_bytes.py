import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from nfl_keras.data.decoding.decode import decode
from nfl_keras.data.decoding.encoded_bytes import checked_pixels, encoded_bytes, one_or_many
from nfl_keras.data.decoding.photograph_error import PhotographError

HEIGHT, WIDTH = 30, 40


def smooth(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    return Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def saved(picture, file_format, orientation=None, **options):
    if orientation is not None:
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        options["exif"] = exif
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def opened(content):
    return Image.open(io.BytesIO(content))


def half_clear():
    picture = smooth().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    return picture


def deep():
    return np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)


KINDS = {
    "JPEG": (smooth(), "JPEG", {"quality": 90}),
    "gray JPEG": (smooth().convert("L"), "JPEG", {}),
    "CMYK JPEG": (smooth().convert("CMYK"), "JPEG", {}),
    "MPO": (smooth(), "MPO", {"save_all": True, "append_images": [smooth(1)]}),
    "PNG": (smooth(), "PNG", {}),
    "gray PNG": (smooth().convert("L"), "PNG", {}),
    "PNG of two colors": (smooth().convert("1"), "PNG", {}),
    "PNG palette": (smooth().quantize(16), "PNG", {"transparency": 3}),
    "PNG RGBA": (half_clear(), "PNG", {}),
    "PNG of 16 bits": (Image.fromarray(deep()), "PNG", {}),
    "WebP": (smooth(), "WEBP", {"lossless": True}),
    "WebP RGBA": (half_clear(), "WEBP", {"lossless": True, "exact": True}),
}
CONVERTED = {
    "GIF": saved(smooth(), "GIF"),
    "moving GIF": saved(smooth(), "GIF", save_all=True, append_images=[smooth(1)]),
    "BMP palette": saved(smooth().quantize(16), "BMP"),
    "TIFF": saved(smooth(), "TIFF"),
    "TIFF CMYK": saved(smooth().convert("CMYK"), "TIFF"),
    "moving WebP": saved(smooth(), "WEBP", lossless=True, save_all=True, append_images=[smooth(1)]),
}


# ---- EXIF ----


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_that_the_server_turns_are_sent_byte_for_byte(kind, orientation):
    picture, file_format, options = KINDS[kind]
    content = saved(picture, file_format, orientation, **options)
    assert opened(content).getexif()[ExifTags.Base.Orientation] == orientation
    assert encoded_bytes(content) is content


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_is_left(orientation):
    content = saved(smooth(), "JPEG", orientation)
    assert encoded_bytes(content) is content


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pil_images_are_turned(orientation):
    picture = opened(saved(smooth(), "PNG", orientation))
    expected = np.asarray(ImageOps.exif_transpose(picture))
    assert np.array_equal(decode(encoded_bytes(picture)).numpy(), expected)


# ---- other formats ----


@pytest.mark.parametrize("kind", CONVERTED)
def test_formats_that_servers_read_wrongly_become_png(kind):
    sent = encoded_bytes(CONVERTED[kind])
    assert opened(sent).format == "PNG"
    expected = np.asarray(opened(CONVERTED[kind]).convert("RGB"))
    assert np.array_equal(decode(sent).numpy(), expected)


def test_a_turned_tiff_stands_upright():
    content = saved(smooth(), "TIFF", 6)
    expected = np.asarray(ImageOps.exif_transpose(opened(content)))
    assert expected.shape == (WIDTH, HEIGHT, 3)
    assert np.array_equal(decode(encoded_bytes(content)).numpy(), expected)


# ---- PIL images and arrays ----


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_pil_images_of_every_mode(mode):
    base = smooth().convert("L") if mode in ("LA", "PA") else smooth()
    picture = base.convert(mode)
    expected = np.asarray(picture.convert("RGB"))
    assert np.array_equal(decode(encoded_bytes(picture)).numpy(), expected)


def test_a_pil_image_of_16_bits_keeps_the_upper_eight():
    pixels = decode(encoded_bytes(Image.fromarray(deep()))).numpy()
    assert np.array_equal(pixels, np.repeat((deep() >> 8)[..., None], 3, axis=-1))


def test_a_pil_image_with_transparency_and_color_profile_loses_both():
    picture = opened(saved(smooth().quantize(16), "PNG", transparency=3, icc_profile=b"profile"))
    sent = opened(encoded_bytes(picture))
    assert "transparency" not in sent.info
    assert "icc_profile" not in sent.info


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_arrays_become_png(dtype):
    pixels = np.asarray(smooth())
    assert np.array_equal(decode(encoded_bytes(pixels.astype(dtype))).numpy(), pixels)


def test_floats_are_rounded():
    pixels = np.float32([[[0.4, 0.6, 254.5001]]])
    assert decode(encoded_bytes(pixels)).numpy().tolist() == [[[0, 1, 255]]]


def test_dark_arrays_of_whole_numbers_pass():
    assert checked_pixels(np.ones((2, 2, 3), np.float32)).max() == 1


# ---- refusals ----


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((4, 4), np.uint8), "an array of shape [4, 4], not [H, W, 3]"),
        (np.zeros((4, 4, 4), np.uint8), "an array of shape [4, 4, 4], not [H, W, 3]"),
        (np.zeros((0, 4, 3), np.uint8), "an array of shape [0, 4, 3], not [H, W, 3]"),
        (np.zeros((4, 4, 3), np.int32), "an array of int32, neither uint8 nor floats"),
        (np.zeros((4, 4, 3), object), "an array of object, neither uint8 nor floats"),
        (np.full((4, 4, 3), np.nan), "an array with values outside 0..255"),
        (np.full((4, 4, 3), 256.0), "an array with values outside 0..255"),
        (np.full((4, 4, 3), -0.1), "an array with values outside 0..255"),
        (np.full((4, 4, 3), 0.5), "an array in 0..1, not in 0..255"),
        (Image.new("F", (4, 4)), "32 bits per pixel, of which no range is known"),
        (Image.new("I", (4, 4)), "32 bits per pixel, of which no range is known"),
        (None, "NoneType is neither a path, bytes, an array nor a PIL image"),
        ([1, 2], "list is neither a path, bytes, an array nor a PIL image"),
        (b"", "zero bytes"),
        (b"no photograph", "not an image"),
        (b"\xff\xd8\xff", "truncated or damaged"),
        (opened(saved(smooth(), "PNG")[:-300]), "truncated or damaged"),
    ],
)
def test_what_cannot_be_sent_is_refused(image, reason):
    with pytest.raises(PhotographError) as refused:
        encoded_bytes(image)
    assert refused.value.reason == reason


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photograph_that_is_sent_as_it_is_is_not_decoded(orientation):
    content = saved(smooth(), "JPEG", orientation)[:-50]
    assert encoded_bytes(content) is content


def test_one_or_many():
    array = np.zeros((4, 4, 3), np.uint8)
    for single in ("a.jpg", b"bytes", array, smooth()):
        images, count = one_or_many(single)
        assert (len(images), count) == (1, 1)
        assert images[0] is single
    assert one_or_many(["a.jpg", "b.jpg"]) == (["a.jpg", "b.jpg"], 2)
    assert one_or_many(np.zeros((5, 4, 4, 3)))[1] == 5
    assert one_or_many(name for name in ("a.jpg", "b.jpg"))[1] is None
