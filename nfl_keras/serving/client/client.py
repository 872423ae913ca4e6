"""The client of TensorFlow Serving and of the embedded server."""

import collections
import concurrent.futures
import contextlib
import functools
import itertools
import sys

import keras
import numpy as np
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from nfl_keras.errors import UserError
from nfl_keras.servable.signature_names import CROPS, EMBED_TENSOR
from nfl_keras.serving.client.batches import embed_batch, joined
from nfl_keras.serving.client.channel import open_channel
from nfl_keras.serving.client.forms import PHOTOGRAPHS, PIXELS
from nfl_keras.serving.client.images import one_or_many
from nfl_keras.serving.client.sending import Calls
from nfl_keras.serving.client.signatures import (
    check_signature,
    declared_signatures,
    explained,
    shape_of,
)

_BY_CROPS = {crops: name for name, crops in CROPS.items()}


class Client:
    """Embeds images by a model that TensorFlow Serving or the embedded server serves.

    Images travel in batches, several at once. A request is sent again while the server is
    unavailable or busy. The connection is made with the first request. Threads may share a
    client.

    Args:
        address: str, `HOST:PORT` of the server's gRPC.
        model: str, the model's name on the server. Defaults to `"embedder"`.
        version: int, or str for a version label. Defaults to `None`, the server's choice,
            commonly its newest.
        tls: bool, whether to encrypt. The next three arguments imply it. Defaults to `False`.
        certificate_authority: path of a PEM file: who signs certificates of servers. Defaults
            to `None`, the authorities that gRPC brings.
        certificate: path of a PEM file: by what the client is known to a server that asks
            (mutual TLS). Defaults to `None`.
        key: path of a PEM file, the private key to `certificate`. Defaults to `None`.
        server_name: str, whom the server's certificate must name. Defaults to the host of
            `address`.
        batch_size: int, images in one request at most. Defaults to `32`.
        request_bytes: int, bytes in one request at most, unless a single image has more.
            Defaults to `4_000_000`, which every gRPC server takes that sets no limit itself.
        in_flight: int, requests under way at once. Defaults to `4`.
        attempts: int, how often a request is sent at most. Defaults to `5`.
        backoff: float, seconds before the second attempt, twice as many before each further
            one; chance takes up to half of it away. Defaults to `0.2`.
        timeout: float, seconds that a request may take, all attempts together. Defaults to
            `60`.

    Raises:
        UserError: for an address without a port, files that are no certificates, and numbers
            that are not above 0.

    Example:

    >>> with nfl.serving.Client("localhost:8500") as client:
    ...     result = client.embed(sorted(pathlib.Path("photographs").iterdir()))
    >>> result
    EmbeddingResult(2 of 3 embedded, 256 dimensions; 1 failed: 1 (not an image))
    """

    def __init__(
        self,
        address,
        model="embedder",
        version=None,
        *,
        tls=False,
        certificate_authority=None,
        certificate=None,
        key=None,
        server_name=None,
        batch_size=32,
        request_bytes=4_000_000,
        in_flight=4,
        attempts=5,
        backoff=0.2,
        timeout=60.0,
    ):
        self.address = address
        self.model = model
        self.version = version
        self.batch_size = batch_size
        self.request_bytes = request_bytes
        self.in_flight = in_flight
        self.attempts = attempts
        self.backoff = backoff
        self.timeout = timeout
        for name in ("batch_size", "request_bytes", "in_flight", "attempts", "backoff", "timeout"):
            if not getattr(self, name) > 0:
                raise UserError(f"{name} must be above 0, not {getattr(self, name)}.")
        self._signatures = None
        self._closed = False
        self._channel = open_channel(
            address, tls, certificate_authority, certificate, key, server_name
        )
        self._stub = PredictionServiceStub(self._channel)

    def embed(self, images, crops=3, deadline=None, progress=None):
        """Embeds photographs of any size.

        JPEG, PNG and plain WebP files are sent byte for byte; the model turns them as their EXIF
        orientation asks. GIF, BMP, TIFF, WebP with transparency or movement, arrays and PIL
        images are sent as PNG, upright. Either way the model sees what training sees.

        Args:
            images: one image, or an iterable of images: each the path of a file, its bytes, an
                array `[H, W, 3]` of uint8 or of floats in 0..255, or a PIL image. A file is read
                when its turn comes.
            crops: 3, or 1 for the center alone. Defaults to `3`.
            deadline: float, seconds that the whole call may take. Defaults to `None`, as long
                as each request keeps to the client's `timeout`.
            progress: bool, whether to show a progress bar. Defaults to `None`: on a terminal,
                for more images than go into one request.

        Returns:
            `EmbeddingResult`. An image that cannot be read or decoded fails alone. If the server
            stops answering midway, the images that it has not answered fail, too.

        Raises:
            UserError: if the server cannot be reached, has no such model, or the model no such
                signature; if it stops answering before the first embedding.

        Example:

        >>> vectors = client.embed("rose.jpg").embeddings
        """
        if crops not in _BY_CROPS:
            raise UserError(f"crops must be 3 or 1, not {crops!r}.")
        images, count = one_or_many(images)
        calls = self._calls(deadline)
        return self._embed(images, count, _BY_CROPS[crops], PHOTOGRAPHS, calls, progress)

    def embed_tensor(self, pixels, deadline=None, progress=None):
        """Embeds pixels that have the size of the model's input already, each as one crop.

        Args:
            pixels: array `[N, H, W, 3]`, or `[H, W, 3]` for one image, uint8 or floats in
                0..255, with the model's H and W.
            deadline: as of `embed`.
            progress: as of `embed`.

        Returns:
            `EmbeddingResult`.

        Raises:
            UserError: as `embed`, and for another shape.

        Example:

        >>> images, labels = next(iter(nfl.data.balanced_batches(image_set)))
        >>> vectors = client.embed_tensor(images).embeddings
        """
        pixels = np.asarray(pixels)
        pixels = pixels[None] if pixels.ndim == 3 else pixels
        calls = self._calls(deadline)
        signature = self._signature(EMBED_TENSOR, PIXELS, calls)
        served = shape_of(signature.inputs[PIXELS.input])
        if len(served) != pixels.ndim or any(
            own not in (-1, size) for own, size in zip(served, pixels.shape, strict=True)
        ):
            raise UserError(
                f"pixels must be of shape [N, {', '.join(map(str, served[1:]))}], as the model "
                f"{self.model!r} takes them, not {list(pixels.shape)}; embed takes any size."
            )
        return self._embed(pixels, len(pixels), EMBED_TENSOR, PIXELS, calls, progress)

    def close(self):
        """Closes the connection, for good."""
        self._closed = True
        self._channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _calls(self, deadline):
        if self._closed:
            raise UserError(f"the client of {self.address} is closed; make another.")
        return Calls(self.attempts, self.backoff, self.timeout, deadline)

    def _spec(self, signature_name=""):
        spec = ModelSpec(name=self.model, signature_name=signature_name)
        if isinstance(self.version, str):
            spec.version_label = self.version
        elif self.version is not None:
            spec.version.value = self.version
        return spec

    def _signature(self, name, form, calls):
        if self._signatures is None:
            self._signatures = declared_signatures(self._stub, self._spec(), calls, self.address)
        return check_signature(self._signatures, name, form, self.address, self.model)

    def _embed(self, images, count, signature_name, form, calls, progress):
        signature = self._signature(signature_name, form, calls)
        if progress is None:
            progress = sys.stdout.isatty() and (count is None or count > self.batch_size)
        bar = keras.utils.Progbar(count, verbose=int(progress), unit_name="image")
        send = functools.partial(
            embed_batch,
            form=form,
            spec=self._spec(signature_name),
            predict=self._stub.Predict,
            calls=calls,
            request_bytes=self.request_bytes,
        )
        answers = []
        with contextlib.closing(self._in_order(send, images, calls)) as in_order:
            for answer in in_order:
                answers.append(answer)
                bar.add(answer.count)
        if count is None:
            bar.update(sum(answer.count for answer in answers), finalize=True)
        if calls.failure and not any(answer.embeddings for answer in answers):
            raise UserError(explained(calls.failure, self.address, self.model))
        return joined(answers, shape_of(signature.outputs["embedding"]))

    def _in_order(self, send, images, calls):
        images = iter(images)
        batches = iter(lambda: list(itertools.islice(images, self.batch_size)), [])
        pending = collections.deque()
        with concurrent.futures.ThreadPoolExecutor(self.in_flight) as pool:
            try:
                for batch in batches:
                    # As many wait as are under way, so that a slow one does not idle the others.
                    if len(pending) == 2 * self.in_flight:
                        yield pending.popleft().result()
                    pending.append(pool.submit(send, batch))
                while pending:
                    yield pending.popleft().result()
            except BaseException:
                calls.cancel()
                raise
