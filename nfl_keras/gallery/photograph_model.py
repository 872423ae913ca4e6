"""Defines what embeds photographs for a gallery: a Keras model, or a server."""

import dataclasses
import os
import re
from collections.abc import Iterator

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.progress import Progress
from nfl_keras.retrieval.embed_usable import embed_usable
from nfl_keras.serving.client.client import Client
from nfl_keras.training.load_embedder import load
from nfl_keras.typing import Path

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}")


@dataclasses.dataclass(frozen=True, eq=False)
class PhotographModel:
    """A model with a name and a number of crops.

    Args:
        model: `keras.Model` with an `image_size`, see `nfl.load`; or `nfl.serving.Client`.
        name: str, by which `open_model` finds it again, or words.
        crops: 3 or 1, crops of each photograph.
        batch_size: int, photographs in a batch.
    """

    model: keras.Model | Client
    name: str
    crops: int
    batch_size: int = 64

    def embed(
        self, image_set: ImageSet, progress: Progress | None = None
    ) -> tuple[np.ndarray, dict[int, str]]:
        """Embeds photographs, see `nfl_keras.retrieval.embed_usable`."""
        if not isinstance(self.model, Client):
            return embed_usable(self.model, image_set, self.crops, self.batch_size, progress)
        embedded = _by_client(self.model, image_set, self.crops)
        if progress is not None:
            progress.add(len(image_set))
        return embedded


def open_model(
    model: keras.Model | Client | Path, crops: int, batch_size: int = 64
) -> PhotographModel:
    """Opens what embeds photographs.

    Args:
        model: `keras.Model` or `nfl.serving.Client`; the address `"HOST:PORT"` of a server; or
            what `nfl.load` loads.
        crops: 3 or 1.
        batch_size: int. Defaults to `64`.

    Returns:
        A `PhotographModel`.

    Raises:
        UserError: if there is no such model.
    """
    if isinstance(model, keras.Model):
        return PhotographModel(model, f"a {type(model).__name__}", crops, batch_size)
    if isinstance(model, Client):
        return PhotographModel(model, model.address, crops, batch_size)
    name = os.fspath(model)
    if _ADDRESS.fullmatch(name) and not os.path.exists(name):
        return PhotographModel(Client(name), name, crops, batch_size)
    there = os.path.abspath(os.path.expanduser(name))
    found = load(name)
    return PhotographModel(found, there if os.path.exists(there) else name, crops, batch_size)


def is_remote(name: str) -> bool:
    """Tells whether a model's name is the address of a server on another machine."""
    host = name.rpartition(":")[0].strip("[]")
    is_address = _ADDRESS.fullmatch(name) is not None and not os.path.exists(name)
    return is_address and host not in ("localhost", "127.0.0.1", "::1")


def _by_client(
    client: Client, image_set: ImageSet, crops: int
) -> tuple[np.ndarray, dict[int, str]]:
    failed: dict[int, str] = {}

    def embed(positions: Iterator[int]) -> tuple[np.ndarray, np.ndarray]:
        sent: list[int] = []

        def contents() -> Iterator[bytes]:
            for position in positions:
                try:
                    content = image_set.read(position)
                except UserError as error:
                    failed[position] = str(error)
                    continue
                sent.append(position)
                yield content

        result = client.embed(contents(), crops, show_progress=False)
        failed.update({sent[index]: reason for index, reason in result.failed.items()})
        return np.array(sent, np.int64)[result.ok], result.embeddings[result.ok]

    parts = [embed(iter(range(len(image_set))))]
    if failed:
        # A server that is gone raises an error now, and none of the photographs is to blame.
        again = sorted(failed)
        failed.clear()
        parts.append(embed(iter(again)))
    dimension = max(vectors.shape[1] for _, vectors in parts)
    embeddings = np.zeros((len(image_set), dimension), np.float32)
    for positions, vectors in parts:
        embeddings[positions] = vectors
    return embeddings, failed
