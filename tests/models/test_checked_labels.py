import functools

import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models import Learner, NoiseAssistedModel, NoiseInvariantModel, Term

GOOD = np.arange(12) % 3
OF_NO_CLASS = {
    "1 to K": (GOOD + 1, "run from 1 to 3, and 3 is the label of no class"),
    "-1": (GOOD - 1, "run from -1 to 1, and -1 is the label of no class"),
    "one at the end": (np.append(GOOD[:11], 7), "run from 0 to 7, and 7 is the label of no class"),
    "beyond int32": (GOOD + 2**32, "run from 4294967296 to 4294967298, and 4294967298"),
}
OF_NO_KIND = {
    "one-hot": (np.eye(3, dtype="float32")[GOOD], r"shape \[(None|12|4), 3\].*argmax"),
    "one-hot integers": (np.eye(3, dtype="int32")[GOOD], r"shape \[(None|12|4), 3\].*argmax"),
    "floats": (GOOD.astype("float32"), "dtype float32, but one integer"),
    "booleans": (GOOD == 1, "dtype bool, but one integer"),
    "strings": (np.array(["a", "b", "c"])[GOOD], "dtype (str32|string|object), but one integer"),
    "none": (None, "there are no labels, but one integer"),
}
MODELS = {
    "noise-invariant": lambda embedder: NoiseInvariantModel(embedder, 3),
    "noise-assisted": lambda e: NoiseAssistedModel(e, window=4, num_classes=3, lambda_softmax=1.0),
}


class Batches(keras.utils.PyDataset):
    def __init__(self, images, labels):
        super().__init__()
        self.arrays = images, labels

    def __len__(self):
        return 3

    def __getitem__(self, number):
        rows = slice(4 * number, 4 * number + 4)
        return tuple(array[rows] for array in self.arrays if array is not None)


def arrays(images, labels):
    return {"x": images, "y": labels, "batch_size": 4}


def generator(images, labels):
    batches = Batches(images, labels)
    return {"x": (batches[number % 3] for number in range(99)), "steps_per_epoch": 3}


def py_dataset(images, labels):
    return {"x": Batches(images, labels)}


def tf_data(images, labels):
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices((images, labels) if labels is not None else images)
    return {"x": dataset.batch(4)}


def data_loader(images, labels):
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(torch.tensor(images), torch.tensor(labels))
    return {"x": torch.utils.data.DataLoader(dataset, batch_size=4)}


SOURCES = [arrays, generator, py_dataset, tf_data, data_loader]


@pytest.fixture(scope="module")
def compiled(make_embedder):
    """Function from a name to a model made once, its variables and their values."""

    @functools.cache
    def make(name):
        keras.utils.set_random_seed(0)
        model = MODELS[name](make_embedder())
        model.compile(keras.optimizers.SGD(0.01))
        model.optimizer.build(model.trainable_variables)
        variables = [*model.variables, *model.optimizer.variables]
        return model, variables, [ops.convert_to_numpy(variable) for variable in variables]

    return make


@pytest.fixture(params=["noise-invariant"])
def model(request, compiled):
    model, variables, values = compiled(request.param)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return model


CASES = [
    *(("noise-invariant", source, "one at the end") for source in SOURCES),
    *(("noise-invariant", arrays, kind) for kind in OF_NO_CLASS),
    ("noise-assisted", tf_data, "-1"),
    ("noise-assisted", generator, "1 to K"),
]


@pytest.mark.parametrize(("model", "source", "kind"), CASES, indirect=["model"])
def test_a_label_of_no_class_is_refused_in_the_first_epoch(model, images, source, kind):
    labels, message = OF_NO_CLASS[kind]
    ended = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: pytest.fail("an epoch ended"))
    with pytest.raises(UserError, match=message) as refused:
        model.fit(**source(images, labels), epochs=9, verbose=0, callbacks=[ended])
    assert "expects the labels of its 3 classes, 0 to 2;" in str(refused.value)
    assert "\n" not in str(refused.value)
    if kind != "one at the end":
        assert int(model.optimizer.iterations) <= 1


def test_the_next_fit_begins_anew_and_the_weights_are_finite(model, images):
    with pytest.raises(UserError, match="and 7 is the label of no class"):
        model.fit(Batches(images, OF_NO_CLASS["one at the end"][0]), verbose=0)
    history = model.fit(Batches(images, GOOD), verbose=0, callbacks=None).history
    assert np.isfinite(history["loss"][0])


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", OF_NO_KIND)
def test_what_are_no_class_ids_is_refused(model, images, source, kind):
    labels, message = OF_NO_KIND[kind]
    if source is data_loader and kind in ("strings", "none"):
        pytest.skip("a tensor of PyTorch holds neither")
    before = model.get_weights()
    with pytest.raises(UserError, match=message) as refused:
        model.fit(**source(images, labels), verbose=0)
    assert "\n" not in str(refused.value)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("way", ["evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize("kind", [*OF_NO_CLASS, *OF_NO_KIND])
def test_evaluation_and_single_steps_refuse_the_same(model, images, way, kind):
    labels, message = {**OF_NO_CLASS, **OF_NO_KIND}[kind]
    with pytest.raises(UserError, match=message):
        getattr(model, way)(images, labels)


def test_labels_of_a_validation_are_checked_too(model, images):
    with pytest.raises(UserError, match="run from 1 to 3"):
        model.fit(images, GOOD, validation_data=(images, GOOD + 1), verbose=0)
    with pytest.raises(UserError, match="run from 1 to 3"):
        model.evaluate(Batches(images, GOOD + 1), verbose=0)
    # A validation with good labels does not hide those of its epoch.
    bad_at_the_end = Batches(images, OF_NO_CLASS["one at the end"][0])
    with pytest.raises(UserError, match="run from 0 to 7"):
        model.fit(bad_at_the_end, validation_data=(images, GOOD), verbose=0)


@pytest.mark.parametrize("listed", [True, False])
def test_callbacks_are_kept(model, images, listed):
    epochs = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    callbacks = (
        [callback] if listed else keras.callbacks.CallbackList([callback], True, model=model)
    )
    model.fit(images, GOOD, epochs=2, verbose=0, callbacks=callbacks)
    assert epochs == [0, 1]
    with pytest.raises(UserError, match="run from 1 to 3"):
        model.fit(Batches(images, GOOD + 1), verbose=0, callbacks=callbacks)


def test_classes_that_do_not_follow_each_other_are_named(make_embedder, images):
    numbers = np.array([3, 5, 9])
    model = NoiseInvariantModel(make_embedder(), 3, class_labels=[3, 5, 9])
    model.compile("sgd")
    model.fit(images, numbers[GOOD], verbose=0)
    with pytest.raises(UserError, match=r"and 4 is the label of no class.* 3 classes, 3, 5, 9;"):
        model.fit(images, np.where(GOOD == 1, 4, numbers[GOOD]), verbose=0)


def test_without_a_classifier_any_integers_are_classes(make_embedder, images):
    model = Learner(make_embedder(), [Term("L", 1.0, lambda outputs: outputs.clean[:, 0])])
    model.compile("sgd")
    model.fit(images, GOOD - 2**20, verbose=0)
    with pytest.raises(UserError, match="shape"):
        model.fit(images, np.eye(3, dtype="int32")[GOOD], verbose=0)


def test_nothing_more_is_reported(model, images):
    assert sorted(model.fit(images, GOOD, verbose=0).history) == ["L_D", "L_N", "L_S", "loss"]
    results = model.evaluate(images, GOOD, verbose=0, return_dict=True)
    assert sorted(results) == ["L_D", "L_N", "L_S", "loss"]
