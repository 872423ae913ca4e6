"""A batch of images put into requests by their bytes, and the answers back into its order."""

import dataclasses

import numpy as np

from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.errors import UserError
from nfl_keras.servable.status import MESSAGES, OK
from nfl_keras.serving.client.result import EmbeddingResult
from nfl_keras.serving.client.sending import RequestError, RequestTooLargeError


@dataclasses.dataclass
class BatchAnswer:
    """What became of a batch: an embedding for each image that has one, a reason for the others.

    Args:
        count: int, images in the batch.
        embeddings: dict from position to float32 `[D]`.
        reasons: dict from position to str.
        versions: set of int, the model versions that answered.
    """

    count: int
    embeddings: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    reasons: dict[int, str] = dataclasses.field(default_factory=dict)
    versions: set[int] = dataclasses.field(default_factory=set)


def embed_batch(images, form, spec, predict, calls, request_bytes):
    """Prepares a batch, sends it, and reads the answers.

    An image that cannot be sent fails alone. So does one in which the server finds no image, or
    that by itself is a message too large for it.

    Args:
        images: list, as `form` takes them.
        form: `Form`.
        spec: `ModelSpec`, the model and signature asked.
        predict: the stub's method.
        calls: `Calls`.
        request_bytes: int, bytes of a request at most, unless a single image has more.

    Returns:
        `BatchAnswer`.
    """
    answer = BatchAnswer(len(images))
    if calls.failure:
        answer.reasons = dict.fromkeys(range(answer.count), str(calls.failure))
        return answer
    prepared = {}
    for position, image in enumerate(images):
        try:
            prepared[position] = form.prepared(image)
        except PhotographError as error:
            answer.reasons[position] = error.reason
    waiting = _packed({key: form.size(value) for key, value in prepared.items()}, request_bytes)
    while waiting:
        positions = waiting.pop()
        request = form.request(spec, [prepared[position] for position in positions])
        try:
            _read(calls.send(predict, request), positions, form, answer)
        except RequestTooLargeError as error:
            half = len(positions) // 2
            if half:
                waiting += [positions[:half], positions[half:]]
            else:
                answer.reasons[positions[0]] = str(error)
        except RequestError as error:
            answer.reasons |= dict.fromkeys(positions, str(calls.give_up(error)))
    return answer


def _packed(sizes, most):
    groups, filled = [], 0
    for position, size in sizes.items():
        if not groups or filled + size > most:
            groups.append([])
            filled = 0
        groups[-1].append(position)
        filled += size
    return groups


def _read(response, positions, form, answer):
    embeddings, statuses = form.answer(response, len(positions))
    if response.model_spec.HasField("version"):
        answer.versions.add(response.model_spec.version.value)
    for position, embedding, code in zip(positions, embeddings, statuses, strict=True):
        if code == OK:
            answer.embeddings[position] = embedding
        else:
            answer.reasons[position] = MESSAGES.get(code, f"status {code}")


def joined(answers, declared_shape):
    """The answers to all batches, as one result.

    Args:
        answers: list of `BatchAnswer`, in the order of the images.
        declared_shape: tuple of int, the declared shape of the embeddings, for the case that
            there are none.

    Returns:
        `EmbeddingResult`.

    Raises:
        UserError: if the embeddings differ in their dimensions.
    """
    starts = np.cumsum([0] + [answer.count for answer in answers])
    found, failed = {}, {}
    for start, answer in zip(starts.tolist(), answers, strict=False):
        found |= {start + position: row for position, row in answer.embeddings.items()}
        failed |= {start + position: reason for position, reason in answer.reasons.items()}
    versions = tuple(sorted(set().union(*(answer.versions for answer in answers))))
    widths = {len(row) for row in found.values()} or {max(0, *declared_shape[-1:])}
    if len(widths) > 1:
        raise UserError(
            f"the embeddings have {' and '.join(map(str, sorted(widths)))} dimensions: the server "
            f"changed to another model meanwhile (versions {versions}); embed again."
        )
    embeddings = np.zeros((starts[-1], *widths), np.float32)
    for index, row in found.items():
        embeddings[index] = row
    return EmbeddingResult(embeddings, dict(sorted(failed.items())), versions)
