"""Model and optimizer from a run's settings."""

import contextlib

import keras

from nfl_keras.models import (
    Embedder,
    NoiseAssistedModel,
    NoiseInvariantModel,
    freeze_batch_norm,
    freeze_through,
    synchronize_batch_norm,
)
from nfl_keras.optimizers.grouped import GroupedAdamW, GroupedSGD
from nfl_keras.training.build_schedule import build_schedule


def build_model(config, num_classes):
    """The `Learner` that a `TrainConfig` describes, not yet compiled.

    Raises:
        UserError: if the backbone cannot be loaded or frozen as asked.
    """
    with _dtype_policy(config.precision):
        embedder = Embedder(
            config.backbone,
            config.embedding_dim,
            config.image_size,
            config.pixel_scale,
            config.pixel_offset,
        )
        if config.freeze_through:
            freeze_through(embedder.backbone, config.freeze_through)
        if config.freeze_batch_norm:
            freeze_batch_norm(embedder.backbone)
        if config.synchronize_batch_norm:
            synchronize_batch_norm(embedder.backbone)
        return _RECIPES[config.recipe](config, embedder, num_classes)


def compile_model(model, config, batches_per_epoch):
    """Compiles a model of `build_model` as its `TrainConfig` says.

    Under mixed_float16 `compile` wraps the optimizer, so that it scales the loss.

    Args:
        model: `nfl_keras.models.Learner`.
        config: `TrainConfig`.
        batches_per_epoch: int, of a whole epoch, also in a run that goes on within one.
    """
    slow = []
    if config.backbone_rate != 1:
        backbone = {id(weight) for weight in model.embedder.backbone.trainable_weights}
        slow = [i for i, weight in enumerate(model.trainable_weights) if id(weight) in backbone]
    model.compile(
        build_optimizer(config, batches_per_epoch, slow),
        jit_compile="auto" if config.jit_compile is None else config.jit_compile,
    )


def build_optimizer(config, batches_per_epoch, backbone=()):
    """The optimizer that a `TrainConfig` describes.

    Args:
        config: `TrainConfig`.
        batches_per_epoch: int.
        backbone: ints, positions among the weights to be trained of those that learn at
            `config.backbone_rate`. Defaults to none.

    Returns:
        A `keras.optimizers.Optimizer`.
    """
    settings = {
        "learning_rate": build_schedule(config, batches_per_epoch),
        "kernel_decay": config.weight_decay,
        "slow": backbone,
        "slow_rate": config.backbone_rate,
        "global_clipnorm": config.clip_norm or None,
        "use_ema": config.ema > 0,
        "ema_momentum": config.ema,
    }
    if config.optimizer == "sgd":
        return GroupedSGD(momentum=config.momentum, **settings)
    return GroupedAdamW(**settings)


def _noise_invariant(config, embedder, num_classes):
    return NoiseInvariantModel(
        embedder,
        num_classes,
        lambda_n=config.lambda_n,
        lambda_s=config.lambda_s,
        lambda_d=config.lambda_d,
        temperature=config.temperature,
        noise_stddev=config.noise_stddev,
        label_smoothing=config.label_smoothing,
        seed=config.seed,
    )


def _noise_assisted(config, embedder, num_classes):
    return NoiseAssistedModel(
        embedder,
        config.window,
        config.pretext,
        config.noise,
        config.noise_stddev,
        num_classes=num_classes,
        lambda_inter=config.lambda_d,
        lambda_intra=config.lambda_intra,
        lambda_pretext=config.lambda_pretext,
        lambda_softmax=config.lambda_softmax,
        temperature=config.temperature,
        seed=config.seed,
    )


_RECIPES = {"noise-invariant": _noise_invariant, "noise-assisted": _noise_assisted}


@contextlib.contextmanager
def _dtype_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
