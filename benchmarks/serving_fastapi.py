"""The FastAPI service of an embedder with which `serving.py` compares the embedded server.

    MODEL=embedder.keras SIZE=128 uvicorn --app-dir benchmarks serving_fastapi:app

`POST /photograph` takes an encoded image, `POST /pixels` a `.npy` of float32 `[S, S, 3]`; both
answer with JSON. MODEL may also be an `.onnx` file, which ONNX Runtime runs. The endpoints are
plain functions, which FastAPI runs in threads. A `tf.function` calls the Keras model; without it,
one image takes more than ten times as long.
"""

import io
import os
from typing import Annotated

import numpy as np
from fastapi import Body, FastAPI
from PIL import Image, ImageOps


def load(path, size):
    if path.endswith(".onnx"):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (pixels,) = session.get_inputs()
        return lambda images: session.run(None, {pixels.name: images})[0]
    import keras
    import tensorflow as tf

    import nfl_keras  # noqa: F401, so that Keras knows the embedder

    model = keras.models.load_model(path, compile=False)
    spec = tf.TensorSpec((None, size, size, 3), tf.float32)
    call = tf.function(lambda images: model(images, training=False), [spec], autograph=False)
    return lambda images: call(tf.constant(images)).numpy()


app = FastAPI()
size = int(os.environ["SIZE"])
embed = load(os.environ["MODEL"], size)


@app.post("/photograph")
def photograph(content: Annotated[bytes, Body(media_type="application/octet-stream")]):
    return {"embedding": mean(embed(crops(content))).tolist()}


@app.post("/pixels")
def pixels(content: Annotated[bytes, Body(media_type="application/octet-stream")]):
    image = np.load(io.BytesIO(content), allow_pickle=False)
    return {"embedding": mean(embed(image[None])).tolist()}


def crops(content):
    with Image.open(io.BytesIO(content)) as picture:
        # A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that is enough.
        picture.draft("RGB", (size, size))
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    scale = size / min(upright.size)
    extent = [round(side * scale) for side in upright.size]
    resized = np.asarray(upright.resize(extent, Image.Resampling.BILINEAR), np.float32)
    height, width = resized.shape[0] - size, resized.shape[1] - size
    corners = [(height // 2, width // 2), (0, 0), (height, width)]
    return np.stack([resized[y : y + size, x : x + size] for y, x in corners])


def mean(vectors):
    vector = vectors.mean(0)
    return vector / np.linalg.norm(vector)
