"""Takes steps of training by settings of a run, for `test_settings_on_replicas.py`.

`python settings_on_replicas.py OUT.npz DEVICES` takes them on logical devices of one process.
With `TF_CONFIG` in the environment it is one worker among several.
"""

import os
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

# Each row differs from the default in the settings that it names. `rows` is the size of a batch.
SETTINGS = {
    "default": {},
    "default, uneven": {"rows": 7},
    "synchronize_batch_norm": SYNCHRONIZED,
    "synchronize_batch_norm, uneven": {**SYNCHRONIZED, "rows": 7},
    "freeze_batch_norm": FROZEN,
    "ema, clip_norm, backbone_rate": {
        **FROZEN,
        "ema": 0.5,
        "clip_norm": 0.1,
        "backbone_rate": 0.1,
        "rows": 7,
    },
    "adamw": {**FROZEN, "optimizer": "adamw"},
    "mixed_bfloat16": {"precision": "mixed_bfloat16"},
    "mixed_float16, clip_norm": {"precision": "mixed_float16", "clip_norm": 0.1},
    "noise-assisted": {**ASSISTED, "rows": 7},
    "noise-assisted, jigsaw": {**ASSISTED, "pretext": "jigsaw"},
}
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


def network(name):
    """A backbone in the place of a preset, with BatchNormalization and few weights."""
    layers = keras.layers
    inputs = keras.Input((8, 8, 3))
    # Before a BatchNormalization that takes statistics a bias has no gradient but rounding.
    maps = layers.Conv2D(6, 3, strides=2, use_bias=False)(inputs)
    maps = layers.Activation("tanh")(layers.BatchNormalization(momentum=0.9)(maps))
    return keras.Model(inputs, layers.Conv2D(5, 2, activation="tanh")(maps)), 1 / 127.5, -1.0


def steps(strategy, rows=8, **settings):
    """Logs and weights after some steps on one batch."""
    config = TrainConfig.from_settings(**{**BASE, **settings})
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = build_model(config, range(4))
        compile_model(model, config, STEPS)
        model.optimizer.build(model.trainable_variables)
    batches = tf.data.Dataset.from_tensor_slices(photographs(rows)).batch(rows).repeat(STEPS)
    history = model.fit(batches, verbose=0).history
    with averaged_weights(model):
        weights = np.concatenate([np.ravel(weight) for weight in model.get_weights()])
    return np.array([history[name][0] for name in sorted(history)]), weights


def main(path, devices="1"):
    embedder.load_backbone = network
    if devices != "1":
        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = int(devices) * [tf.config.LogicalDeviceConfiguration()]
        tf.config.set_logical_device_configuration(cpu, logical)
    on_one_machine = "one" if devices == "1" else "mirrored"
    strategy = make_strategy("multi-worker" if "TF_CONFIG" in os.environ else on_one_machine)
    found = {}
    for name, settings in SETTINGS.items():
        print(name, flush=True)
        found[f"{name}: logs"], found[f"{name}: weights"] = steps(strategy, **settings)
    np.savez(path, **found)
    end_together(strategy)
    end_process()


if __name__ == "__main__":
    main(*sys.argv[1:])
