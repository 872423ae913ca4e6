"""Defines how a run's model and optimizer are built from its settings."""

import contextlib
from collections.abc import Iterator, Sequence

import keras

from nfl_keras.models import (
    Embedder,
    Learner,
    enable_lora,
    freeze_batch_norm,
    freeze_through,
    synchronize_batch_norm,
)
from nfl_keras.optimizers import GroupedAdamW, GroupedSGD
from nfl_keras.training.build_schedule import build_schedule
from nfl_keras.training.config import TrainConfig


def build_model(config: TrainConfig, class_labels: Sequence[int]) -> Learner:
    """Builds the `Learner` that a `TrainConfig` describes, not yet compiled.

    Args:
        config: `TrainConfig`.
        class_labels: ints, ascending, the labels of the classes that are trained on.

    Returns:
        A `Learner`.

    Raises:
        UserError: if the backbone cannot be loaded or frozen as asked.
    """
    with _dtype_policy(config.run.precision):
        model = config.recipe.build(build_embedder(config), class_labels, config.run.seed)
    model.chunk_size = config.run.chunk_size
    return model


def build_embedder(config: TrainConfig) -> Embedder:
    """Builds the `Embedder` that a `TrainConfig` describes.

    Args:
        config: `TrainConfig`.

    Returns:
        An `Embedder`, in Keras' global dtype policy.

    Raises:
        UserError: if the backbone cannot be loaded or frozen as asked, or does not take images of
            `image_size`.
    """
    settings = config.embedder
    embedder = Embedder(
        settings.backbone,
        settings.embedding_dim,
        settings.image_size,
        settings.pixel_scale,
        settings.pixel_offset,
        settings.pooling,
        neck=config.recipe.learner.needs_neck if settings.neck is None else settings.neck,
    )
    if settings.freeze_through:
        freeze_through(embedder.backbone, settings.freeze_through)
    if settings.freeze_batch_norm:
        freeze_batch_norm(embedder.backbone)
    if settings.lora:
        enable_lora(embedder.backbone, settings.lora)
    if settings.synchronize_batch_norm:
        synchronize_batch_norm(embedder.backbone)
    return embedder


def compile_model(model: Learner, config: TrainConfig, batches_per_epoch: int) -> None:
    """Compiles a model of `build_model` as its `TrainConfig` says.

    Under mixed_float16 `compile` wraps the optimizer in a `LossScaleOptimizer`.

    Args:
        model: `Learner`.
        config: `TrainConfig`.
        batches_per_epoch: int, number of batches of a whole epoch.
    """
    factors = model.rate_factors(config.optimizer.backbone_rate)
    model.compile(
        build_optimizer(config, batches_per_epoch, factors if set(factors) != {1.0} else ()),
        jit_compile="auto" if config.run.jit_compile is None else config.run.jit_compile,
    )


def build_optimizer(
    config: TrainConfig, batches_per_epoch: int, rate_factors: Sequence[float] = ()
) -> keras.optimizers.Optimizer:
    """Builds the optimizer that a `TrainConfig` describes.

    Args:
        config: `TrainConfig`.
        batches_per_epoch: int, number of batches of a whole epoch.
        rate_factors: floats, factors on the learning rate, one for each trainable weight.
            Defaults to none: all factors are 1.

    Returns:
        A `keras.optimizers.Optimizer`.
    """
    settings = {
        "learning_rate": build_schedule(config, batches_per_epoch),
        "kernel_decay": config.optimizer.weight_decay,
        "rate_factors": rate_factors,
        "global_clipnorm": config.optimizer.clip_norm or None,
        "use_ema": config.optimizer.ema > 0,
        "ema_momentum": config.optimizer.ema,
    }
    if config.optimizer.name == "sgd":
        return GroupedSGD(momentum=config.optimizer.momentum, **settings)
    return GroupedAdamW(**settings)


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
