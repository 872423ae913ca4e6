"""Defines how tables go through a pool of workers on Ray."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from nfl_keras.errors import UserError


def on_ray(
    worker: Callable[..., Callable[[pa.Table], pa.Table]],
    arguments: Sequence[Any],
    tables: Sequence[pa.Table],
    actors: int | None,
    cpus: int,
    gpus: int,
    address: str,
) -> Iterator[dict[str, Any]]:
    """Sends each table to a worker, and yields the rows of the answers in any order.

    A worker that dies is started anew, and what it had not answered is sent again.

    Args:
        worker: class whose instances turn one `pyarrow.Table` into another.
        arguments: sequence, the arguments of its constructor.
        tables: sequence of `pyarrow.Table`.
        actors: int, workers, or `None` for as many as there is room for.
        cpus: int, processors of each.
        gpus: int, GPUs of each.
        address: str, see `embed_to_shards`.

    Yields:
        Dict from column to value.

    Raises:
        UserError: if Ray is not installed or not there, or if the cluster is lost.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UserError(
            'nfl-keras embed needs Ray; install it with pip install "nfl_keras[ray]".'
        ) from error
    started = not ray.is_initialized()
    if started:
        _start(ray, address, None if actors is None else actors * cpus)
    try:
        room = ray.cluster_resources()
        kind, each = ("GPU", gpus) if gpus else ("CPU", cpus)
        most = int(room.get(kind, 0) // each)
        if most < (actors or 1):
            raise UserError(
                f"Ray has {room.get(kind, 0):g} {kind}s, enough for {most} workers of {each}; "
                f"lower --actors."
            )
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        size = min(actors or most, len(tables))
        pool = ray.data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=2)
        answers = ray.data.from_arrow(list(tables)).map_batches(
            worker,
            fn_constructor_args=tuple(arguments),
            batch_size=None,
            batch_format="pyarrow",
            compute=pool,
            num_cpus=cpus,
            num_gpus=gpus,
        )
        try:
            yield from answers.iter_rows()
        except ray.exceptions.RayTaskError:  # The worker's own error, with its traceback.
            raise
        except ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            raise UserError(
                f"Ray cannot go on ({type(error).__name__}: {reason}); what is embedded is kept, "
                f"call again."
            ) from error
    finally:
        if started:
            ray.shutdown()


def _start(ray: Any, address: str, cpus: int | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == "local":
            # It makes a token, without which nobody on the network is answered.
            quietly |= {"num_cpus": cpus, "include_dashboard": False}
        ray.init(address, **quietly)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"Ray cannot be reached at {address!r} ({reason}); give local, auto or ray://HOST:PORT."
        ) from error
