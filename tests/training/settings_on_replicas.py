"""Takes steps of training by settings of a run, for `test_settings_on_replicas.py`.

`python settings_on_replicas.py OUT.npz one mirrored` takes them on one device and on two logical
devices of one process. With `multi-worker` it is one worker among several.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from nfl_keras.distribution.end_together import end_process, end_together
from nfl_keras.distribution.make_strategy import make_strategy
from nfl_keras.models import embedder
from nfl_keras.training.averaged_weights import averaged_weights
from nfl_keras.training.build_model import build_model, compile_model
from nfl_keras.training.config import TrainConfig

FROZEN = {"freeze_batch_norm": True}
SYNCHRONIZED = {"synchronize_batch_norm": True}
ASSISTED = {**FROZEN, "recipe": "noise-assisted", "window": 2}

# Each row differs from the default in the settings that it names.
SETTINGS = {
    "default": {},
    "synchronize_batch_norm": {"synchronize_batch_norm": True},
    "freeze_batch_norm, ema, clip_norm, backbone_rate": {
        "freeze_batch_norm": True,
        "ema": 0.5,
        "clip_norm": 0.1,
        "backbone_rate": 0.1,
    },
    "noise-assisted, jigsaw, freeze_batch_norm, adamw": {
        "recipe": "noise-assisted",
        "window": 2,
        "pretext": "jigsaw",
        "freeze_batch_norm": True,
        "optimizer": "adamw",
    },
    "pair-loss, all triplets, freeze_batch_norm": {
        "recipe": "pair-loss",
        "mining": "all",
        "margin": 1.0,
        "freeze_batch_norm": True,
    },
    "proxy, anti_collapse, proxy_rate, freeze_batch_norm": {
        **FROZEN,
        "recipe": "proxy",
        "anti_collapse": 0.1,
        "proxy_rate": 2.0,
    },
    "classification, lambda_sgsl, freeze_batch_norm": {
        **FROZEN,
        "recipe": "classification",
        "lambda_sgsl": 1.0,
    },
    "mixed_bfloat16": {"precision": "mixed_bfloat16"},
    "mixed_float16, clip_norm": {"precision": "mixed_float16", "clip_norm": 0.1},
}
# Of these, two replicas may differ from one device.
OF_REPLICAS = ("default", "mixed_bfloat16", "mixed_float16, clip_norm")
BASE = {
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "warmup_epochs": 0,
    "embedding_dim": 4,
    "image_size": 8,
}
STEPS = 2


def photographs(rows):
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(4), 2)[:rows]
    colors = generator.uniform(40, 215, (4, 1, 1, 3))[labels]
    images = np.clip(colors + generator.normal(0, 30, (rows, 8, 8, 3)), 0, 255)
    return images.astype("float32"), labels.astype("int32")


def network(name, image_size):
    """A backbone in the place of a preset, with BatchNormalization and few weights."""
    layers = keras.layers
    inputs = keras.Input((8, 8, 3))
    # Before a BatchNormalization that takes statistics a bias has no gradient but rounding.
    maps = layers.Conv2D(6, 3, strides=2, use_bias=False)(inputs)
    maps = layers.Activation("tanh")(layers.BatchNormalization(momentum=0.9)(maps))
    return keras.Model(inputs, layers.Conv2D(5, 2, activation="tanh")(maps)), 1 / 127.5, -1.0


def steps(strategy, **settings):
    """Logs and weights after some steps on one batch, which is whole or of one row less."""
    config = TrainConfig.from_settings(**{**BASE, **settings})
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = build_model(config, range(4))
        compile_model(model, config, STEPS)
        model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    values = [variable.numpy() for variable in variables]
    for rows in (8, 7):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        batches = tf.data.Dataset.from_tensor_slices(photographs(rows)).batch(rows).repeat(STEPS)
        history = model.fit(batches, verbose=0).history
        yield f"{rows}: logs", [history[name][0] for name in sorted(history)]
        with averaged_weights(model):
            weights = model.get_weights()
        yield f"{rows}: weights", np.concatenate([np.ravel(weight) for weight in weights])


def main(path, *strategies):
    embedder.load_backbone = network
    if "mirrored" in strategies:
        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = 2 * [tf.config.LogicalDeviceConfiguration()]
        tf.config.set_logical_device_configuration(cpu, logical)
    found = {}
    for where in strategies:
        strategy = make_strategy(where)
        for name, settings in SETTINGS.items():
            if where == "one" and name in OF_REPLICAS:
                continue
            for what, value in steps(strategy, **settings):
                print(f"{where}: {name}, {what}", flush=True)
                found[f"{where}: {name}, {what}"] = np.asarray(value)
    np.savez(path, **found)
    end_together(strategy)
    end_process()


if __name__ == "__main__":
    main(*sys.argv[1:])
