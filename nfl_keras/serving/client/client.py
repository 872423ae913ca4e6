"""The client of TensorFlow Serving and of the embedded server."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import itertools
import math
import os
from collections.abc import Callable, Generator, Iterable
from typing import Any, Self

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from nfl_keras.data.decoding.encoded_bytes import Photograph, one_or_many
from nfl_keras.errors import UserError
from nfl_keras.progress import Progress
from nfl_keras.servable.signature_names import CROPS, EMBED_TENSOR
from nfl_keras.serving.client.calls import Calls, forked_amid_calls
from nfl_keras.serving.client.embed_batch import PHOTOGRAPHS, PIXELS, Form, embed_batch, joined
from nfl_keras.serving.client.embedding_result import EmbeddingResult
from nfl_keras.serving.client.open_channel import open_channel
from nfl_keras.serving.client.proxy import proxy_to
from nfl_keras.serving.client.served_model import ServedModel
from nfl_keras.typing import Path

_BY_CROPS = {crops: name for name, crops in CROPS.items()}


@dataclasses.dataclass(eq=False)
class Client:
    """Embeds images with a model that TensorFlow Serving or the embedded server serves.

    Images are sent in batches, several at once. A request is sent again while the server is
    unavailable or busy. The client connects with its first request. Threads may share it. After a
    fork the child connects anew, unless requests were under way: then gRPC cannot be used in it.

    A proxy that the environment sets (`https_proxy`, `http_proxy`) is used only for other machines
    that are not in `no_proxy`.

    Args:
        address: str, `HOST:PORT` of the server's gRPC.
        model: str, the model's name on the server. Defaults to `"embedder"`.
        version: int, or str for a version label. Defaults to `None`, the server's choice, commonly
            its newest.
        tls: bool, whether to encrypt. The next three arguments imply it. Defaults to `False`.
        certificate_authority: path of a PEM file with the authority that signs the server's
            certificate. Defaults to `None`, the authorities that gRPC brings.
        certificate: path of a PEM file with the client's certificate, for servers that ask for one
            (mutual TLS). Defaults to `None`.
        key: path of a PEM file with the private key to `certificate`. Defaults to `None`.
        server_name: str, the name that the server's certificate must have. Defaults to the host of
            `address`.
        batch_size: int, images in one request at most. Defaults to `32`.
        request_bytes: int, bytes in one request at most, unless a single image has more. Defaults
            to `4_000_000`, which every gRPC server accepts by default.
        in_flight: int, requests under way at once. Defaults to `4`.
        attempts: int, how often a request is sent at most. Defaults to `5`.
        backoff: float, seconds before the second attempt, doubled before each further one. A
            random share of up to half is taken off. Defaults to `0.2`.
        timeout: float, seconds for one request with all its attempts. Defaults to `60`.

    Raises:
        UserError: for an address without a port, files that are not certificates, and numbers
            that are not above 0.

    Example, which needs a server:

    >>> with nfl.serving.Client("localhost:8500") as client:  # doctest: +SKIP
    ...     result = client.embed(["rose.jpg", "tulip.png"])
    >>> result  # doctest: +SKIP
    EmbeddingResult(1 of 2 embedded, 256 dimensions; 1 failed: 1 (not an image))
    """

    address: str
    model: str = "embedder"
    version: int | str | None = None
    _: dataclasses.KW_ONLY
    tls: bool = False
    certificate_authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str | None = None
    batch_size: int = 32
    request_bytes: int = 4_000_000
    in_flight: int = 4
    attempts: int = 5
    backoff: float = 0.2
    timeout: float = 60.0

    def __post_init__(self) -> None:
        for name in ("batch_size", "request_bytes", "in_flight", "attempts", "backoff", "timeout"):
            if not getattr(self, name) > 0:
                raise UserError(f"{name} must be above 0, not {getattr(self, name)}.")
        # By process. The child of a fork leaves the parent's connection alone.
        self._channels: dict[int, grpc.Channel] = {}
        self._closed = False
        self._connect()

    def embed(
        self,
        images: Photograph | Iterable[Photograph],
        crops: int = 3,
        deadline: float | None = None,
        show_progress: bool = True,
    ) -> EmbeddingResult:
        """Embeds photographs of any size, as training sees them.

        JPEG, PNG, still WebP and most BMP files are sent byte for byte, and the model turns them
        as their EXIF orientation asks. GIF, TIFF, other BMP, the first frame of an animated WebP,
        arrays and PIL images are sent as PNG, upright.

        Args:
            images: one image, or an iterable of images: each the path of a file, its bytes, an
                array `[H, W, 3]` of uint8 or of floats in 0..255, or a PIL image. Files are read
                batch by batch.
            crops: 3, or 1 for the center alone. Defaults to `3`.
            deadline: float, seconds that the whole call may take. Defaults to `None`, no limit
                beside the client's `timeout` for each request.
            show_progress: bool, whether work that takes longer than a few seconds shows what is
                done and the time left on stderr: as a bar on a terminal, and elsewhere as a line
                every half minute. Defaults to `True`.

        Returns:
            `EmbeddingResult`. An image that cannot be read or decoded fails alone. If the server
            stops answering midway, the images that it has not answered fail, too.

        Raises:
            UserError: if the server cannot be reached, has no such model, or the model has no such
                signature; or if the server stops answering before the first embedding.

        Example, which needs a server:

        >>> vectors = client.embed("rose.jpg").embeddings  # doctest: +SKIP
        """
        if crops not in _BY_CROPS:
            raise UserError(f"crops must be 3 or 1, not {crops!r}.")
        images, count = one_or_many(images)
        calls = self._calls(deadline)
        return self._embed(images, count, _BY_CROPS[crops], PHOTOGRAPHS, calls, show_progress)

    def embed_tensor(
        self, pixels: Any, deadline: float | None = None, show_progress: bool = True
    ) -> EmbeddingResult:
        """Embeds pixels of the model's input size, each image as one crop.

        Args:
            pixels: array `[N, H, W, 3]`, or `[H, W, 3]` for one image, uint8 or floats in 0..255,
                with the model's H and W.
            deadline: see `embed`.
            show_progress: see `embed`.

        Returns:
            `EmbeddingResult`.

        Raises:
            UserError: as `embed` does; and for another shape.

        Example, which needs a server:

        >>> pixels = np.zeros((2, 224, 224, 3), "uint8")
        >>> vectors = client.embed_tensor(pixels).embeddings  # doctest: +SKIP
        """
        pixels = np.asarray(pixels)
        pixels = pixels[None] if pixels.ndim == 3 else pixels
        calls = self._calls(deadline)
        signature = self._served.signature(EMBED_TENSOR, PIXELS, calls)
        served = tf.TensorShape(signature.inputs[PIXELS.input].tensor_shape)
        if not served.is_compatible_with(pixels.shape):
            raise UserError(
                f"pixels must be of shape [N, {', '.join(map(str, served[1:]))}], as the model "
                f"{self.model!r} takes them, not {list(pixels.shape)}; embed takes any size."
            )
        return self._embed(pixels, len(pixels), EMBED_TENSOR, PIXELS, calls, show_progress)

    def close(self) -> None:
        """Closes the connection. The client cannot be used afterwards."""
        self._closed = True
        if os.getpid() in self._channels:
            self._channels[os.getpid()].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _connect(self) -> None:
        if forked_amid_calls():
            raise UserError(
                f"requests were under way when process {os.getpid()} was forked, and gRPC does not "
                f"work in it; fork at another time, or start processes by 'spawn' or 'forkserver'."
            )
        proxy = proxy_to(self.address)
        pem_files = self.certificate_authority, self.certificate, self.key
        tls = self.tls, self.server_name, pem_files
        channel = open_channel(self.address, *tls, through_proxy=proxy is not None)
        stub = PredictionServiceStub(channel)
        self._served = ServedModel(stub, self.address, self.model, self.version, proxy)
        self._channels[os.getpid()] = channel

    def _calls(self, deadline: float | None) -> Calls:
        if self._closed:
            raise UserError(f"the client of {self.address} is closed; make another.")
        if os.getpid() not in self._channels:
            self._connect()
        seconds = math.inf if deadline is None else deadline
        return Calls(self.attempts, self.backoff, self.timeout, seconds)

    def _embed(
        self,
        images: Iterable,
        count: int | None,
        name: str,
        form: Form,
        calls: Calls,
        show_progress: bool,
    ) -> EmbeddingResult:
        signature = self._served.signature(name, form, calls)
        spec, predict = self._served.spec(name), self._served.stub.Predict
        send = functools.partial(embed_batch, form, spec, predict, calls, self.request_bytes)
        rows, versions = [], set()
        with (
            contextlib.closing(self._in_order(send, images, calls)) as in_order,
            Progress(count, "images embedded", show_progress) as progress,
        ):
            for more_rows, more_versions in in_order:
                rows += more_rows
                versions |= more_versions
                progress.add(len(more_rows))
        declared = signature.outputs["embedding"].tensor_shape.dim
        result = joined(rows, versions, max(0, declared[-1].size) if declared else 0)
        if calls.failure and not result.ok.any():
            raise UserError(self._served.explain(calls.failure))
        return result

    def _in_order(self, send: Callable, images: Iterable, calls: Calls) -> Generator:
        images = iter(images)
        batches = iter(lambda: list(itertools.islice(images, self.batch_size)), [])
        pending: collections.deque[concurrent.futures.Future] = collections.deque()
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
