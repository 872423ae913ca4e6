"""Trains small networks on replicas and keeps what comes out, for `test_replicas.py`.

`python replicas.py OUT.npz 1 2` does so on 1 and 2 logical devices of one process. (TensorFlow
cannot have two numbers of replicas above 1 in a process.) With `TF_CONFIG` in the environment it
is one worker among several.
"""

import dataclasses
import os
import sys

import keras
import numpy as np
import tensorflow as tf

from nfl_keras.distribution import DistributedFit
from nfl_keras.distribution.call_in_global_batch import call_in_global_batch
from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, WindowShuffle
from nfl_keras.losses import ClassDiscriminationLoss
from nfl_keras.models import (
    Embedder,
    NoiseAssistedModel,
    NoiseInvariantModel,
    freeze_batch_norm,
    synchronize_batch_norm,
)

TERMS = ("L_D", "L_N", "L_S")


class FirstStep(keras.callbacks.Callback):
    """Keeps the gradient of the first step, as SGD with momentum remembers it, and its logs."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            optimizer = self.model.optimizer
            rate = optimizer.learning_rate.numpy()
            self.gradient = flat([v.numpy() / -rate for v in optimizer.momentums])
            self.logs = dict(logs)


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def photographs(count=16):
    generator = np.random.default_rng(0)
    labels = (np.arange(count) % 4).astype("int64")
    colors = generator.uniform(40, 215, (4, 1, 1, 3))[labels]
    images = np.clip(colors + generator.normal(0, 30, (count, 8, 8, 3)), 0, 255)
    return images.astype("float32"), labels


def batches(*arrays, static=True):
    dataset = tf.data.Dataset.from_tensor_slices(arrays)
    return dataset.batch(len(arrays[0]), drop_remainder=static)


def network(batch_norm=None):
    layers = keras.layers
    inputs = keras.Input((8, 8, 3))
    # Before a BatchNormalization that takes statistics a bias has no gradient but rounding.
    convolution = layers.Conv2D(
        6,
        3,
        strides=2,
        use_bias=batch_norm is None,
        kernel_regularizer=keras.regularizers.L2(0.05),
        name="convolution",
    )
    x = convolution(inputs)
    if batch_norm:
        x = layers.BatchNormalization(momentum=0.9, name="batch_norm")(x)
    x = layers.Activation("tanh")(x)
    backbone = keras.Model(inputs, layers.Conv2D(5, 2, activation="tanh")(x))
    if batch_norm == "frozen":
        freeze_batch_norm(backbone)
    if batch_norm == "synchronized":
        synchronize_batch_norm(backbone)
    return Embedder(backbone, 4, 8, 1 / 127.5, -1.0)


def learner(strategy, optimizer, batch_norm=None, **settings):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = NoiseInvariantModel(
            network(batch_norm), 4, temperature=0.3, noise_stddev=0.3, seed=7, **settings
        )
        model.compile(optimizer(), metrics=[mean_of_first_coordinate])
    return model


def mean_of_first_coordinate(y_true, y_pred):
    return y_pred[:, 0]


def momentum():
    return keras.optimizers.SGD(0.05, momentum=0.9)


def gradients_and_steps(strategy):
    """The gradient of each term on one batch, noise and regularization included, and 20 steps.

    One model and one compiled step do all of it: it begins anew for each, with a switch before
    each of its terms.
    """
    model, first = learner(strategy, momentum, "synchronized"), FirstStep()
    with strategy.scope():
        switches = {name: keras.Variable(1.0, trainable=False) for name in TERMS}
    model.terms = tuple(switched(term, switches[term.name]) for term in model.terms)
    begin_anew = restart(strategy, model)
    for name in ("L", *TERMS):
        for term, switch in switches.items():
            switch.assign(float(name in ("L", term)))
        yield f"initial weights of {name}", flat(model.get_weights())
        model.fit(batches(*photographs()), verbose=0, callbacks=[first])
        yield f"gradient of {name}", first.gradient
        yield f"loss of {name}", [first.logs["loss"]]
        begin_anew()
    for switch in switches.values():
        switch.assign(1.0)
    yield from twenty_steps(model, "synchronized")


def restart(strategy, model):
    """Function that sets model and optimizer back to what they are now."""
    with strategy.scope():
        model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    values = [variable.numpy() for variable in variables]

    def begin_anew():
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return begin_anew


def switched(term, switch):
    return dataclasses.replace(term, values=lambda outputs: switch * term.values(outputs))


def twenty_steps(model, batch_norm):
    history = model.fit(batches(*photographs()).repeat(10), epochs=2, verbose=0).history
    assert model.optimizer.iterations.numpy() == 20
    yield f"weights, {batch_norm}", flat(model.get_weights())
    yield f"embeddings, {batch_norm}", model.embedder(photographs()[0])
    for name in ("loss", "L_D", "L_N", "L_S", "mean_of_first_coordinate"):
        yield f"history of {name}, {batch_norm}", history[name]


def uneven(strategy):
    """10 images with weights of their own, whose number is known only as they come.

    Gives back the model.
    """
    model, first = learner(strategy, momentum), FirstStep()
    dataset = weighted_batches(10)
    before = model.evaluate(dataset, verbose=0, return_dict=True)
    yield "uneven evaluation", [before[name] for name in sorted(before)]
    model.fit(dataset, verbose=0, callbacks=[first])
    yield "uneven gradient", first.gradient
    yield "uneven logs", [first.logs[name] for name in sorted(first.logs)]
    return model


def weighted_batches(count):
    weights = np.linspace(0, 2, count).astype("float32")
    return batches(*photographs(count), weights, static=False)


def noise_assisted(strategy):
    """A step of the second recipe, and of two pretext tasks alone, on 16 images and on 11."""
    yield from assisted(strategy, "rotation", num_classes=4, lambda_softmax=1.0)
    for task in ("exemplar", "jigsaw"):
        model = yield from assisted(strategy, task, lambda_inter=0, lambda_intra=0)
    found = model.evaluate(batches(*photographs(11), static=False), verbose=0, return_dict=True)
    yield "evaluation, jigsaw on 11", [found["L_pretext"]]


def assisted(strategy, pretext, **settings):
    """Gives back the model, as it was before its steps."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = NoiseAssistedModel(network(), 3, pretext, temperature=0.3, seed=7, **settings)
        model.compile(momentum())
    begin_anew, first = restart(strategy, model), FirstStep()
    yield f"initial weights, {pretext}", flat(model.get_weights())
    for count in (16, 11):
        model.fit(batches(*photographs(count), static=False), verbose=0, callbacks=[first])
        yield f"gradient, {pretext} on {count}", first.gradient
        yield f"logs, {pretext} on {count}", [first.logs[name] for name in sorted(first.logs)]
        begin_anew()
    return model


def chunked(strategy):
    """The gradient of 11 images at once, and in chunks of two or three images of any view."""
    for chunk_size in (0, 3):
        model, first = learner(strategy, momentum), FirstStep()
        model.chunk_size = chunk_size
        model.fit(weighted_batches(11), verbose=0, callbacks=[first])
        yield f"gradient in chunks of {chunk_size}", first.gradient
        yield f"logs in chunks of {chunk_size}", [first.logs[name] for name in sorted(first.logs)]


def clipped(strategy):
    """One step of gradients that are clipped to a norm far below their own."""
    optimizer = lambda: keras.optimizers.SGD(1.0, momentum=0.9, global_clipnorm=0.01)  # noqa: E731
    model, first = learner(strategy, optimizer, lambda_n=0, lambda_s=0), FirstStep()
    model.fit(batches(*photographs()), verbose=0, callbacks=[first])
    yield "clipped gradient", first.gradient


def half_precision(strategy):
    """Steps in float16 under a loss scale that overflows at first."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    inner = lambda: keras.optimizers.SGD(0.05)  # noqa: E731
    scaled = lambda: keras.optimizers.LossScaleOptimizer(inner(), initial_scale=2.0**40)  # noqa: E731
    model = learner(strategy, scaled)
    history = model.fit(batches(*photographs()).repeat(20), epochs=2, verbose=0).history
    yield "half precision losses", history["loss"]
    yield "half precision weights", flat(model.get_weights())
    yield "half precision scale", [float(model.optimizer.dynamic_scale.numpy())]
    yield "half precision updates", [model.optimizer.iterations.numpy()]
    keras.config.set_dtype_policy(policy)


def own_statistics(strategy, chunk_size=0):
    """Moving statistics after a step in which each replica took those of its own images.

    Or those of each chunk of them, on its own.
    """
    images, labels = photographs()
    model = learner(strategy, momentum, "own", lambda_n=0, lambda_s=0)
    layers = [model.embedder.backbone.get_layer(name) for name in ("convolution", "batch_norm")]
    maps = np.asarray(layers[0](images / np.float32(127.5) - 1), "float64")
    parts = np.split(maps, strategy.num_replicas_in_sync)
    if chunk_size:
        count = len(parts[0]) // chunk_size
        parts = [part[k::count] for part in parts for k in range(count)]
    model.chunk_size = chunk_size
    expected = [np.mean([part.mean((0, 1, 2)) for part in parts], 0) * 0.1]
    expected += [0.9 + np.mean([part.var((0, 1, 2)) for part in parts], 0) * 0.1]
    model.fit(batches(images, labels), verbose=0)
    yield f"expected statistics, {chunk_size}", flat(expected)
    yield (
        f"moving mean and variance, {chunk_size}",
        flat([layers[1].moving_mean, layers[1].moving_variance]),
    )


def own_model(strategy):
    """A model and a loss of Keras' own, with the mixin."""

    class Classifier(DistributedFit, keras.Sequential):
        pass

    images, labels = photographs()
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = Classifier([keras.layers.Flatten(), keras.layers.Dense(4)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss=loss, metrics=["accuracy"])
    history = model.fit(images / 255, labels, batch_size=8, epochs=3, verbose=0).history
    results = model.evaluate(images / 255, labels, batch_size=8, verbose=0, return_dict=True)
    yield "own model's weights", flat(model.get_weights())
    yield "own model's losses", [*history["loss"], results["loss"]]
    yield "own model's accuracy", [*history["accuracy"], results["accuracy"]]


def loss_in_compile(strategy):
    """A model of Keras' own with L_D in `compile`, on an even and an uneven batch, and 5 epochs."""

    class Network(DistributedFit, keras.Sequential):
        pass

    keras.utils.set_random_seed(0)
    with strategy.scope():
        layers = [keras.layers.Dense(4), keras.layers.UnitNormalization()]
        model = Network([keras.layers.Flatten(), *layers])
        model.build((None, 8, 8, 3))
        model.compile(momentum(), loss=ClassDiscriminationLoss(0.3))
    begin_anew, first = restart(strategy, model), FirstStep()
    # One image of its class, and so without a positive, lies on one replica alone.
    images, labels = photographs()
    labels[0] = 9
    for count in (16, 10):
        dataset = batches(images[:count], labels[:count], static=False)
        model.fit(dataset, verbose=0, callbacks=[first])
        yield f"gradient of a loss in compile, {count}", first.gradient
        history = model.fit(dataset, epochs=4, verbose=0).history
        yield f"weights by a loss in compile, {count}", flat(model.get_weights())
        yield f"history of a loss in compile, {count}", history["loss"]
        begin_anew()


def noise(strategy):
    """The output of random layers for 8 rows on several replicas, for 4, and in inference."""
    rows = np.arange(8, dtype="float32")[:, None] * np.ones(5, "float32")
    pixels = np.arange(8 * 5 * 5, dtype="float32").reshape(8, 5, 5, 1)
    with strategy.scope():
        layers = {
            "noise": (GaussianInputNoise(1.0, seed=3), rows),
            "shuffle": (WindowShuffle(2, seed=3), pixels),
        }
    for name, (layer, inputs) in layers.items():
        for count, drawn in dealt(strategy, layer, inputs):
            yield f"{name} of {count} rows", flat(drawn)
        inferred = call_in_global_batch(layer, tf.constant(inputs), training=False)
        yield f"{name} in inference", flat([inferred])


def dealt(strategy, layer, rows):
    @tf.function(reduce_retracing=True)
    def drawn(part):
        return strategy.run(lambda x: call_in_global_batch(layer, x, training=True), (part,))

    for count in (8, 4):
        dataset = tf.data.Dataset.from_tensor_slices(rows[:count]).batch(count, drop_remainder=True)
        for part in strategy.experimental_distribute_dataset(dataset):
            yield count, strategy.experimental_local_results(drawn(part))


def refusals(strategy, model):
    images, labels = photographs()
    before = flat(model.get_weights())
    small = weighted_batches(3)
    yield "small batch", [message(lambda: model.fit(small, verbose=0))]
    yield "weights left by a small batch", flat(model.get_weights()) - before
    yield "train_on_batch", [message(lambda: model.train_on_batch(images, labels))]
    with strategy.scope():
        model = NoiseInvariantModel(network(), 4)
    model.compile(momentum())
    yield "compiled outside", [message(lambda: model.fit(batches(images, labels), verbose=0))]
    model = NoiseInvariantModel(network(), 4)
    model.compile(momentum())
    with strategy.scope():
        yield "made outside", [message(lambda: model.fit(batches(images, labels), verbose=0))]


def message(function):
    try:
        function()
    except UserError as error:
        return str(error)
    return ""


def on_workers(strategy):
    yield from gradients_and_steps(strategy)
    yield from uneven(strategy)
    yield from own_model(strategy)
    yield from loss_in_compile(strategy)


def in_one_process(strategy):
    yield from gradients_and_steps(strategy)
    model = yield from uneven(strategy)
    yield from noise(strategy)
    yield from own_statistics(strategy)
    yield from own_statistics(strategy, chunk_size=2)
    yield from loss_in_compile(strategy)
    if strategy.num_replicas_in_sync < 4:
        yield from own_model(strategy)
        frozen = learner(strategy, lambda: keras.optimizers.Adam(0.01), "frozen")
        yield from twenty_steps(frozen, "frozen")
        yield from clipped(strategy)
        yield from chunked(strategy)
        yield from noise_assisted(strategy)
        yield from half_precision(strategy)
    else:
        yield from refusals(strategy, model)


def main(path, *counts):
    found = {}
    for name, strategy, scenario in scenarios([int(count) for count in counts]):
        for what, value in scenario(strategy):
            print(f"{name}: {what}", flush=True)
            found[f"{name}: {what}"] = np.asarray(value)
    np.savez(path, **found)


def scenarios(counts):
    if "TF_CONFIG" in os.environ:
        yield "workers", tf.distribute.MultiWorkerMirroredStrategy(), on_workers
        return
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, 4 * [tf.config.LogicalDeviceConfiguration()])
    for count in counts:
        strategy = tf.distribute.get_strategy()
        if count > 1:
            strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])
        yield str(count), strategy, in_one_process


if __name__ == "__main__":
    main(*sys.argv[1:])
