"""Odd photographs go every way: training, Pillow, the exported graph, and what the client sends."""

import io
import os
import random
import warnings

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from odd_photographs import odd_photograph
from odd_photographs.jpeg import MANY_SEGMENTS
from PIL import ExifTags, Image, ImageChops

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import WEBP, WHOLE, decode, decode_by
from nfl_keras.data.decoding.encoded_bytes import encoded_bytes
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.export.decode_crops import decode_crops, read_headers
from nfl_keras.servable.status import MESSAGES, OK, TOO_LARGE, UNSUPPORTED

SIZE = 16
TOGETHER = 8

pytestmark = pytest.mark.tensorflow("the exported graph is TensorFlow's")


@tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
def exported(images):
    headers = read_headers(images, SIZE, 100_000_000)
    return headers[2], *decode_crops(images, headers, SIZE, 3)


@tf.function(input_signature=[tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int32)])
def trained(encoded, orientation):
    return inference_crops(decode(encoded, -(-16 * SIZE // 15)), SIZE, 3, orientation)


@tf.function(input_signature=[tf.TensorSpec((), tf.string)])
def by_tensorflow(encoded):
    """Decodes by TensorFlow alone; JPEG by the inverse transform that Pillow takes, too."""
    is_webp = tf.strings.substr(encoded, 8, 4) == b"WEBP"
    return tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: decode_by(encoded, tf.where(is_webp, WEBP, WHOLE)),
    )


def in_training(content):
    """Returns `(reason, orientation, crops)`, of which the reason or the rest is `None`."""
    try:
        usable, orientation = checked_bytes(content, "photograph")
        return None, orientation, trained(usable, orientation).numpy()
    except PhotographError as error:
        return error.reason, None, None
    except tf.errors.InvalidArgumentError:
        return "truncated or damaged", None, None


def in_export(contents):
    """Returns a list of `(reason, orientation, crops)`."""
    turns, statuses, rows, pixels = (part.numpy() for part in exported(tf.constant(contents)))
    crops = dict(zip(rows.tolist(), pixels, strict=True))
    return [
        (None if status == OK else MESSAGES[status], turn, crops.get(row))
        for row, (status, turn) in enumerate(zip(statuses, turns, strict=True))
    ]


def what_is_sent(content):
    """Returns `(reason, bytes)`, of which one is `None`."""
    try:
        return None, encoded_bytes(content)
    except PhotographError as error:
        return error.reason, None


def pixels_by(decoder, content):
    """Returns uint8 `[H, W, 3]`, or `None` where a decoder refuses."""
    try:
        return decoder(content)
    except Exception:  # Pillow raises errors of any type
        return None


def by_pillow(content):
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        if image.mode.startswith("I;16"):
            return np.stack([np.asarray(image) >> 8] * 3, axis=-1)
        if image.mode == "CMYK" and "adobe" not in image.info:
            image = ImageChops.invert(image)  # Pillow takes every CMYK JPEG for one of Adobe.
        return np.asarray(image.convert("RGB"))


def orientation_by_pillow(content):
    """Returns 1 to 8, or `None` where Pillow does not open the file or complains of its EXIF.

    Pillow warns, and may read no further, where the value of any entry lies beyond the end.
    """
    try:
        with Image.open(io.BytesIO(content)) as image, warnings.catch_warnings():
            warnings.simplefilter("error")
            exif = Image.Exif()
            exif.load(image.info.get("exif", b""))
            value = exif.get(ExifTags.Base.Orientation, 1)
    except Exception:
        return None
    return int(value) if value in range(1, 9) else 1


def differences(drawn):
    """Lists what differs between the ways, as `(what, words, content, of whom)`."""
    contents = [content for _, content in drawn]
    sent = [what_is_sent(content) for content in contents]
    answers = in_export(contents)
    answers_sent = in_export([content or b"" for _, content in sent])
    found = []
    for (words, content), answer, to_send, answer_sent in zip(
        drawn, answers, sent, answers_sent, strict=True
    ):

        def differ(what, *of_whom, words=words, content=content):
            found.append((what, words, content, of_whom))

        reason, orientation, crops = in_training(content)
        refused_rare = answer[0] == MESSAGES[UNSUPPORTED]
        if not refused_rare:
            _compare(differ, "training, exported graph", (reason, orientation, crops), answer)
        if to_send[0] or answer_sent[0] or reason:
            if (to_send[0] or answer_sent[0]) != reason:
                differ("client", reason, to_send[0], answer_sent[0])
        elif np.abs(answer_sent[2] - crops).max() > 1e-3:
            differ("client's pixels", np.abs(answer_sent[2] - crops).max())
        if any(word.startswith("then") for word in words):
            continue
        pixels = pixels_by(lambda content: by_tensorflow(content).numpy(), content)
        refused = reason not in (None, MESSAGES[TOO_LARGE]) and MANY_SEGMENTS not in words
        if refused and pixels is not None:
            differ("decodable", reason)
        if reason is None:
            expected = orientation_by_pillow(content)
            if expected not in (None, orientation):
                differ("Pillow's orientation", expected, orientation)
            expected = pixels_by(by_pillow, content)
            if expected is not None:
                if expected.shape != pixels.shape:
                    differ("Pillow's shape", expected.shape, pixels.shape)
                # Versions of libjpeg smooth progressive files without details by other rules.
                elif np.abs(np.int32(expected) - pixels).mean() > 3:
                    differ("Pillow's pixels", np.abs(np.int32(expected) - pixels).mean())
    return found


def _compare(differ, who, first, second):
    if (first[0] is None) != (second[0] is None):
        differ(f"decision: {who}", first[0], second[0])
    elif first[0] != second[0]:
        differ(f"words: {who}", first[0], second[0])
    elif first[0] is None and first[1] != second[1]:
        differ(f"orientation: {who}", first[1], second[1])
    elif first[0] is None and np.abs(first[2] - second[2]).max() > 1e-3:
        differ(f"pixels: {who}", np.abs(first[2] - second[2]).max())


# NFL_KERAS_FUZZ=1250 tries 10,000 files.
@hypothesis.settings(max_examples=int(os.environ.get("NFL_KERAS_FUZZ", "40")))
@hypothesis.given(st.lists(st.integers(0, 2**64 - 1), min_size=TOGETHER, max_size=TOGETHER))
def test_every_way_decides_alike_and_sees_the_same_pixels(seeds):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd EXIF
        found = differences([odd_photograph(random.Random(seed)) for seed in seeds])
    assert not found, "\n".join(f"{what} {whom}: {words}" for what, words, _, whom in found)
