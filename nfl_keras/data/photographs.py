"""Encoded bytes to pixels of one size, as TensorFlow graphs for tf.data."""

import tensorflow as tf

# [NIFL] trains on crops of 224 pixels from photographs whose shorter side is 256.
_SHORTER_SIDE_PER_CROP = 256 / 224


def decode(encoded):
    """Decodes JPEG, PNG, GIF (its first frame) or BMP.

    Args:
        encoded: scalar string tensor.

    Returns:
        uint8 `[H, W, 3]`.
    """
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    image.set_shape((None, None, 3))
    return image


def resize_shorter_side(image, size):
    """Resizes so that the shorter side is `size` pixels, keeping the aspect.

    Args:
        image: `[H, W, 3]`, pixels in 0..255.
        size: int.

    Returns:
        float32 `[H', W', 3]`, antialiased, in 0..255.
    """
    height_and_width = tf.cast(tf.shape(image)[:2], tf.float32)
    target = tf.round(height_and_width * size / tf.reduce_min(height_and_width))
    return tf.image.resize(image, tf.cast(target, tf.int32), antialias=True)


def augment(image, size, seed, max_rotation=15.0):
    """A random training view, in [NIFL]'s order.

    The shorter side is brought to 256/224 of `size`, a `size` square is cropped at random,
    turned about its centre by up to `max_rotation` degrees and mirrored half of the time.
    Crop, rotation and mirroring are one bilinear sampling of the resized photograph, so that
    the corners of a turned crop show the photograph, and its reflection past the border.

    Args:
        image: `[H, W, 3]`, pixels in 0..255.
        size: int, side of the view in pixels.
        seed: int `[2]`. The same seed gives the same view.
        max_rotation: float, degrees. Defaults to `15.0`.

    Returns:
        float32 `[size, size, 3]`, in 0..255.
    """
    image = resize_shorter_side(image, round(size * _SHORTER_SIDE_PER_CROP))
    top, left, turn, mirror = tf.unstack(tf.random.stateless_uniform((4,), seed))
    places = tf.cast(tf.shape(image)[:2] - size + 1, tf.float32)
    middle = (size - 1) / 2
    centre_y, centre_x = tf.floor(top * places[0]) + middle, tf.floor(left * places[1]) + middle
    angle = (2 * turn - 1) * max_rotation * (3.141592653589793 / 180)
    cos, sin = tf.cos(angle), tf.sin(angle)
    sign = tf.where(mirror < 0.5, -1.0, 1.0)
    # Maps a pixel (x, y) of the view to where it is sampled in the photograph.
    transform = [
        [sign * cos, -sin, centre_x - middle * (sign * cos - sin)],
        [sign * sin, cos, centre_y - middle * (sign * sin + cos)],
    ]
    view = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=[[*transform[0], *transform[1], 0.0, 0.0]],
        output_shape=(size, size),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )[0]
    return tf.ensure_shape(view, (size, size, 3))


def inference_crops(image, size, crops=3):
    """The square crops whose embeddings are averaged when a photograph is embedded.

    Args:
        image: `[H, W, 3]`, pixels in 0..255.
        size: int. The shorter side is resized to it, and the crops are of this side.
        crops: 1, the centre; or 3, the centre and the two ends of the longer side.
            Defaults to `3`.

    Returns:
        float32 `[crops, size, size, 3]`, in 0..255.

    Reference: [NIFL], inference protocol.
    """
    image = resize_shorter_side(image, size)
    room = tf.shape(image)[:2] - size
    starts = [room // 2] if crops == 1 else [room // 2, tf.zeros_like(room), room]
    squares = [tf.image.crop_to_bounding_box(image, s[0], s[1], size, size) for s in starts]
    return tf.ensure_shape(tf.stack(squares), (crops, size, size, 3))
