"""The header of a JPEG, in a TensorFlow graph."""

import tensorflow as tf

from nfl_keras.data.decoding.exif_orientation import EXIF
from nfl_keras.data.decoding.jpeg_header import (
    APP1,
    END,
    MAX_EXIF,
    MAX_SAMPLINGS,
    MAX_SEGMENTS,
    NO_FRAMES,
    NO_SCAN,
    PROGRESSIVE,
    RESTART,
    SCAN,
    TEMPORARY,
)
from nfl_keras.export.encoded_bytes import equal, length_of, number, raw_bytes_at, unless

_HEAD = 24  # bytes, more than are read of a segment
_SIZE_ALONE = 1, 1, 0, 1  # of a frame, to leave out the coefficients
_FEW, _MANY = 64, 2**18  # bytes among which a marker is searched


def jpeg_header(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads the declared height and width, EXIF, and what a decoder holds, see `read_parts`.

    It walks from segment to segment as libjpeg does, which skips stray bytes before a marker.
    """
    length = length_of(encoded)

    def is_open(left, position, *_):
        return (left > 0) & (position < length)

    def step(left, position, width, frame, exif):
        window = raw_bytes_at(encoded, position, width + _HEAD)
        first, second = window[:width], window[1 : width + 1]
        starts = (first == 0xFF) & (second != 0) & (second != 0xFF)
        place = tf.argmax(starts)
        found = starts[place]
        head = tf.cast(tf.slice(window, place[None], (_HEAD,)), tf.int64)
        marker, count = head[1], number(head[2:4], False)
        alone = (marker == TEMPORARY) | ((marker >= RESTART) & (marker < END))
        no_frame = alone | tf.reduce_any(marker == tf.constant(NO_FRAMES, tf.int64))
        is_frame = found & (marker >= 0xC0) & (marker <= 0xCF) & ~no_frame & (frame[0] < 0)
        known = tf.strings.length(exif)
        is_exif = found & (marker == APP1) & (count >= 2 + len(EXIF)) & equal(head[4:10], EXIF)
        is_exif &= known < MAX_EXIF
        skipped = tf.where(known > 0, 4 + len(EXIF), 4)
        start = tf.minimum(position + place + tf.cast(skipped, tf.int64), length)
        taken = unless(~is_exif, tf.maximum(count + 2 - tf.cast(skipped, tf.int64), 0))
        in_one_scan = found & (marker == SCAN) & (head[4] >= frame[3])
        last = found & ((marker == END) | (marker == SCAN))
        advance = tf.where(found, place + 2 + unless(alone, tf.maximum(count, 2)), width)
        return (
            left - tf.cast(found, tf.int32),
            tf.where(last, length, position + advance),
            tf.where(found, tf.constant(_FEW, tf.int64), tf.minimum(8 * width, _MANY)),
            tf.where(is_frame, _frame(head), tf.where(in_one_scan, frame * _SIZE_ALONE, frame)),
            tf.strings.join([exif, tf.strings.substr(encoded, start, taken)]),
        )

    state = (
        tf.constant(MAX_SEGMENTS),
        tf.constant(2, tf.int64),
        tf.constant(_FEW, tf.int64),
        tf.constant([-1, -1, 0, 0], tf.int64),
        tf.constant(b""),
    )
    *_, frame, exif = tf.while_loop(is_open, step, state)
    return tf.maximum(frame[:2], 0), exif, frame[2]


def _frame(head):
    """Returns height, width, bytes of the coefficients, and components in one scan, int64 `[4]`."""
    height, width, components = number(head[5:7], False), number(head[7:9], False), head[9]
    samplings = head[11::3][:MAX_SAMPLINGS]
    samplings = unless(tf.range(MAX_SAMPLINGS, dtype=tf.int64) >= components, samplings)
    across, down = samplings // 16, samplings % 16
    largest = tf.maximum(tf.reduce_max(across) * tf.reduce_max(down), 1)
    coefficients = 2 * height * width * tf.reduce_sum(across * down) // largest
    is_progressive = head[1] % 4 == PROGRESSIVE
    in_one_scan = tf.where(is_progressive, tf.constant(NO_SCAN, tf.int64), components)
    return tf.stack([height, width, coefficients, in_one_scan])
