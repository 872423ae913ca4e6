"""Model and optimizer from a run's settings."""

import keras

from nfl_keras.models import Embedder, NoiseInvariantModel, freeze_batch_norm, freeze_through


def build_model(config, num_classes):
    """The `NoiseInvariantModel` that a `TrainConfig` describes, not yet compiled.

    Raises:
        UserError: if the backbone cannot be loaded or frozen as asked.
    """
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


def build_optimizer(config, batches_per_epoch):
    """AdamW along a cosine after a linear warm-up, with weight decay of kernels only."""
    warmup_steps = round(config.warmup_epochs * batches_per_epoch)
    total_steps = config.epochs * batches_per_epoch
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else config.learning_rate,
        decay_steps=max(1, total_steps - warmup_steps),
        warmup_target=config.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
