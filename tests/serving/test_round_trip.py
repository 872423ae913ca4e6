"""Photographs by the client to an exported model on the embedded server, held against training."""

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from nfl_keras.data.decoding.decode import decode
from nfl_keras.export.verification import as_image_set
from nfl_keras.retrieval import embed
from nfl_keras.serving import Client, Server

ORIENTATION = ExifTags.Base.Orientation
TURNS = range(1, 9)


@pytest.fixture(scope="module")
def client(models_folder):
    """A client of a server of the small embedder."""
    with Server(models_folder, port=0) as server, Client(f"localhost:{server.port}") as client:
        yield client


@pytest.fixture(scope="module")
def turned(picture, encoded):
    """Function from a format to files of one picture, with the EXIF orientations 1 to 8."""

    def files(file_format):
        contents = []
        for orientation in TURNS:
            exif = Image.Exif()
            exif[ORIENTATION] = orientation
            contents.append(encoded(picture(), file_format, exif=exif))
        return contents

    return files


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_turned_photograph_is_embedded_as_the_upright_one(client, turned, file_format):
    contents = turned(file_format)
    upright = []
    for orientation, content in zip(TURNS, contents, strict=True):
        # Pillow and TensorFlow round differently within a JPEG.
        pixels = Image.fromarray(decode(content).numpy())
        pixels.getexif()[ORIENTATION] = orientation
        upright.append(np.asarray(ImageOps.exif_transpose(pixels)))
    result = client.embed([*contents, *upright])
    assert result.failed == {}
    given, expected = np.split(result.embeddings, 2)
    np.testing.assert_allclose(given, expected, atol=1e-5)
    assert np.abs(given[1:] - given[0]).max(axis=1).min() > 0.01


def test_every_kind_of_file_is_embedded_as_in_training(
    client, embedder, photographs, rare, turned, picture, encoded
):
    gif = bytearray(rare["GIF"])
    gif[6:10] = np.array([60, 50], "<u2").tobytes()  # the canvas: larger than the first frame
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    images = {
        **photographs,
        **rare,
        "GIF with a margin": bytes(gif),
        "BMP of 32 bits": encoded(picture(seed=300).convert("RGBA"), "BMP"),
        "lossy transparent WebP": encoded(picture(seed=301).convert("LA").convert("RGBA"), "WEBP"),
        "WebP turned by XMP": encoded(picture(seed=302), "WEBP", xmp=xmp),
        **{f"turned JPEG {number}": content for number, content in enumerate(turned("JPEG"))},
    }
    result = client.embed(images.values())
    assert result.failed == {}
    expected = embed(embedder, as_image_set(list(images.values())))
    for kind, row, wanted in zip(images, result.embeddings, expected, strict=True):
        np.testing.assert_allclose(row, wanted, atol=1e-5, err_msg=kind)
