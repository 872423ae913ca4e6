import keras
import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.data.batches.balanced_batches import balanced_batches, sampled_batches
from nfl_keras.data.batches.balanced_sampler import BalancedSampler
from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError

TAKEN = {"classes_per_batch": 3, "images_per_class": 2, "image_size": 16, "seed": 5}


@pytest.fixture(scope="module")
def plain(encoded):
    """Function from class sizes to photographs of one color: red is class, green is number."""

    def make(sizes, side=12):
        files, labels = [], []
        for c, size in enumerate(sizes):
            for number in range(size):
                color = np.empty((side, side + number, 3))
                color[:] = (20 * c, 10 * number, 0)
                files.append(encoded(color))
                labels.append(c)
        names = [f"class {c}" for c in range(len(sizes))]
        ids = [f"{c}/{i}" for i, c in enumerate(labels)]
        return ImageSet(ids, labels, names, files.__getitem__)

    return make


@pytest.fixture(scope="module")
def noisy(encoded, noise):
    """Twelve photographs of noise in three classes."""
    files = [encoded(noise(20, 15 + i, seed=i)) for i in range(12)]
    names = ["a", "b", "c"]
    return ImageSet([str(i) for i in range(12)], np.arange(12) % 3, names, files.__getitem__)


def passes(dataset, count):
    """Images and labels of whole passes, as two arrays each."""
    taken = []
    for _ in range(count):
        images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
        taken.append((np.stack(images), np.stack(labels)))
    return taken


@pytest.fixture(scope="module")
def taken(noisy):
    """Four passes of two batches over `noisy`, by `TAKEN`."""
    return passes(balanced_batches(noisy, **TAKEN), 4)


def test_labels_are_those_of_the_photographs(plain):
    dataset = balanced_batches(plain([5, 6, 9, 4]), 3, 2, image_size=10)
    assert len(dataset) == 4
    for images, labels in passes(dataset, 2):
        assert images.shape == (4, 6, 10, 10, 3)
        assert images.dtype == np.float32
        assert labels.shape == (4, 6)
        assert labels.dtype == np.int32
        assert np.abs(images - images[:, :, :1, :1]).max() < 0.01
        red, green, blue = np.moveaxis(images[:, :, 0, 0], -1, 0)
        assert np.abs(red - 20 * labels).max() < 0.01
        assert np.abs(blue).max() < 0.01
        numbers = np.round(green / 10).astype(int)
        assert np.abs(green - 10 * numbers).max() < 0.01
        for batch_labels, batch_numbers in zip(labels.tolist(), numbers.tolist(), strict=True):
            assert len(set(batch_labels)) == 3
            assert batch_labels[::2] == batch_labels[1::2]
            assert len(set(zip(batch_labels, batch_numbers, strict=True))) == 6


def test_batches_are_the_samplers_plan_in_its_order(plain):
    image_set = plain([5, 6, 9, 4])
    numbers = np.concatenate([np.arange(size) for size in (5, 6, 9, 4)])
    sampler = BalancedSampler(image_set.labels, 2, 3, seed=4)
    dataset = balanced_batches(image_set, 2, 3, image_size=8, seed=4)
    for epoch, (images, labels) in enumerate(passes(dataset, 2)):
        plan = sampler.epoch(epoch)
        assert np.array_equal(labels, image_set.labels[plan])
        assert np.array_equal(np.round(images[:, :, 0, 0, 1] / 10), numbers[plan])


def test_batches_of_a_given_sampler_are_those_of_its_arguments(noisy, taken):
    sampler = BalancedSampler(noisy.labels, classes_per_batch=3, images_per_class=2, seed=5)
    for (images, labels), (same_images, same_labels) in zip(
        passes(sampled_batches(noisy, sampler, image_size=16), 2), taken, strict=False
    ):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(labels, same_labels)


def test_pixels_are_in_0_to_255(taken):
    images = np.stack([images for images, _ in taken])
    assert 0 <= images.min() < 10
    assert 245 < images.max() <= 255.001


def test_the_same_seed_gives_the_same_bits(noisy, taken):
    again = passes(balanced_batches(noisy, **TAKEN), 2)
    for (images, labels), (other_images, other_labels) in zip(taken[:2], again, strict=True):
        assert np.array_equal(images, other_images)
        assert np.array_equal(labels, other_labels)


def test_passes_and_seeds_differ_in_plan_and_views(noisy):
    # One photograph per class and one batch of all classes: only order and views can differ.
    image_set = noisy.subset([0, 1, 2])
    taken = [
        taken
        for seed in (0, 1)
        for taken in passes(balanced_batches(image_set, 3, 1, image_size=16, seed=seed), 2)
    ]
    by_label = [images[0][np.argsort(labels[0])] for images, labels in taken]
    for i in range(4):
        for j in range(i):
            for one, other in zip(by_label[i], by_label[j], strict=True):
                assert not np.array_equal(one, other)


def test_no_two_views_of_an_epoch_share_a_seed(noisy):
    # The same photograph in every slot: equal views would be equal seeds.
    same = ImageSet([str(i) for i in range(12)], noisy.labels, "abc", lambda i: noisy.read(11))
    taken = [images for images, _ in passes(balanced_batches(same, 3, 2, image_size=16), 3)]
    views = np.concatenate(taken).reshape(-1, 16 * 16 * 3)
    assert len(views) == 36
    assert len(np.unique(views, axis=0)) == 36


def test_a_later_epoch_can_be_begun_with(noisy, taken):
    (resumed,) = passes(balanced_batches(noisy, **TAKEN, first_epoch=2), 1)
    for uninterrupted, again in zip(taken[2], resumed, strict=True):
        assert np.array_equal(uninterrupted, again)


def test_a_later_batch_can_be_begun_with(noisy, taken):
    rest = balanced_batches(noisy, **TAKEN, first_epoch=1, first_batch=1)
    assert len(rest) == 1
    # Every pass is the rest of the one epoch.
    for resumed in passes(rest, 2):
        for uninterrupted, again in zip(taken[1], resumed, strict=True):
            assert np.array_equal(uninterrupted[1:], again)


def test_a_resumed_fit_ends_with_the_same_weights(noisy, taken):
    def model(num_batches):
        keras.utils.set_random_seed(0)
        dense = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(3)]
        made = keras.Sequential([keras.Input((16, 16, 3)), *dense])
        made.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        made.optimizer.build(made.trainable_variables)
        for images, labels in batches[:num_batches]:
            made.train_on_batch(images, labels)
        return made

    batches = [p for images, labels in taken[:3] for p in zip(images, labels, strict=True)]
    uninterrupted, resumed = model(6), model(1)
    rest = balanced_batches(noisy, **TAKEN, first_batch=1)
    resumed.fit(rest, epochs=1, shuffle=False, verbose=0)
    later = balanced_batches(noisy, **TAKEN, first_epoch=1)
    resumed.fit(later, initial_epoch=1, epochs=3, shuffle=False, verbose=0)
    assert resumed.optimizer.iterations == 6
    for weights, others in zip(uninterrupted.get_weights(), resumed.get_weights(), strict=True):
        assert np.allclose(weights, others, atol=1e-6)


@pytest.mark.parametrize("first_batch", [-1, 4, 5])
def test_a_batch_that_is_not_there_is_refused(noisy, first_batch):
    message = f"first_batch must be in 0 to 3, since an epoch has 4 batches, not {first_batch}"
    with pytest.raises(UserError, match=message):
        balanced_batches(noisy, 3, 1, image_size=8, first_batch=first_batch)


def test_views_are_recolored_after_the_geometry(noisy, taken):
    given = []

    def negative(image, seed):
        given.append((image.shape, image.dtype, seed.shape))
        return 255 - image

    ((images, labels),) = passes(balanced_batches(noisy, **TAKEN, recolor=negative), 1)
    assert set(given) == {((16, 16, 3), tf.float32, (2,))}
    assert np.array_equal(images, 255 - taken[0][0])
    assert np.array_equal(labels, taken[0][1])


def test_colors_are_drawn_apart_from_the_geometry_and_from_each_other(noisy):
    # Red tells where the view is turned to and cropped from, green what its colors are drawn by.
    ramp = np.zeros((18, 60, 3), np.uint8)
    ramp[..., 0] = 4 * np.arange(60)
    stored = tf.io.encode_png(ramp).numpy()
    images = ImageSet([str(i) for i in range(400)], np.arange(400) % 4, "abcd", lambda i: stored)

    def drawn(image, seed):
        draw = tf.random.stateless_uniform((4,), seed)
        return tf.concat([image[..., :1], tf.broadcast_to(draw[1:3], (16, 16, 2))], axis=-1)

    dataset = balanced_batches(images, 4, 10, image_size=16, max_rotation=0, recolor=drawn)
    (views, _), (other_views, _) = passes(dataset, 2)
    middles = np.concatenate([views, other_views])[:, :, 8, 8].reshape(-1, 3)
    assert len(np.unique(middles[:, 1])) == len(middles)
    # `augment` places its crop by the second of four such draws.
    correlation = np.corrcoef(middles.T)
    assert np.abs(correlation - np.eye(3)).max() < 4 / np.sqrt(len(middles))


def test_small_classes_can_be_filled_up(plain):
    image_set = plain([2, 1, 5, 4, 3])
    sampler = BalancedSampler(image_set.labels, 2, 4, small_classes="fill")
    dataset = balanced_batches(image_set, 2, 4, image_size=8, small_classes="fill")
    ((images, labels),) = passes(dataset, 1)
    assert len(dataset) == 1
    assert np.array_equal(labels, image_set.labels[sampler.epoch(0)])
    assert np.array_equal(np.round(images[:, :, 0, 0, 0] / 20), labels)


@pytest.mark.parametrize(("first_epoch", "first_batch"), [(0, 0), (1, 1)])
def test_an_endless_pass_holds_epoch_after_epoch(noisy, taken, first_epoch, first_batch):
    images, labels = (np.concatenate(parts) for parts in zip(*taken, strict=True))
    begin = {"first_epoch": first_epoch, "first_batch": first_batch}
    endless = balanced_batches(noisy, **TAKEN, **begin, endless=True)
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY
    begun = 2 * first_epoch + first_batch
    for _ in range(2):
        batches = endless.take(8 - begun).as_numpy_iterator()
        for number, (batch_images, batch_labels) in enumerate(batches, begun):
            assert np.array_equal(batch_images, images[number])
            assert np.array_equal(batch_labels, labels[number])
        assert number == 7


def test_rotation_can_be_switched_off(encoded, noise):
    # Of the shorter side that views of 14 pixels are cropped from, so that none is resized.
    pixels = [noise(16, 16 + i, seed=i) for i in range(6)]
    files = [encoded(photograph) for photograph in pixels]
    image_set = ImageSet(list("abcdef"), np.arange(6) % 3, "abc", files.__getitem__)
    ((images, labels),) = passes(balanced_batches(image_set, 3, 2, 14, max_rotation=0), 1)
    crops = {}
    for i, photograph in enumerate(pixels):
        for top, left in np.ndindex(3, photograph.shape[1] - 13):
            crop = np.float32(photograph[top : top + 14, left : left + 14])
            crops[crop.tobytes()] = crops[crop[:, ::-1].tobytes()] = image_set.labels[i]
    found = [crops[view.tobytes()] for view in images.reshape(-1, 14, 14, 3)]
    assert found == labels.ravel().tolist()


def test_fit_takes_one_pass_per_epoch(plain, monkeypatch):
    planned = []
    epoch = BalancedSampler.epoch
    monkeypatch.setattr(
        BalancedSampler, "epoch", lambda self, n: planned.append(n) or epoch(self, n)
    )
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = balanced_batches(plain([6, 6, 6]), 3, 2, image_size=8)
    history = model.fit(batches, epochs=2, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert planned == [0, 1]
    assert model.optimizer.iterations == 6


def test_each_photograph_is_read_when_its_turn_comes(plain):
    image_set = plain([4, 4])
    reads = []

    def read(position):
        reads.append(position)
        return image_set.read(position)

    watched = ImageSet(image_set.ids, image_set.labels, image_set.class_names, read)
    dataset = balanced_batches(watched, 2, 2, image_size=8)
    assert reads == []
    passes(dataset, 1)
    assert sorted(reads) == list(range(8))


def test_subsets_are_trained_on_with_the_labels_of_the_whole(plain):
    subset = plain([4, 4, 4]).subset([10, 9, 8, 3, 2])
    ((images, labels),) = passes(balanced_batches(subset, 2, 2, image_size=8), 1)
    assert set(labels.ravel()) == {0, 2}
    assert np.array_equal(np.round(images[:, :, 0, 0, 0] / 20), labels)


def test_classes_that_are_too_small_are_refused_by_name(plain):
    image_set = plain([4, 2, 4])
    with pytest.raises(UserError, match="class 1"):
        balanced_batches(image_set, 2, 4)
    with pytest.warns(UserWarning, match="class 1"):
        dataset = balanced_batches(image_set, 2, 4, image_size=8, small_classes="drop")
    ((_, labels),) = passes(dataset, 1)
    assert set(labels.ravel()) == {0, 2}


def test_a_photograph_that_cannot_be_decoded_stops_training(noisy):
    files = ImageSet(noisy.ids, noisy.labels, noisy.class_names, lambda i: b"no photograph")
    with pytest.raises(Exception, match=r"the photograph '\d+' cannot be used: not an image"):
        passes(balanced_batches(files, 3, 2, image_size=8), 1)


def test_batches_of_one_super_category_resume_bit_for_bit(plain):
    image_set = plain([4, 6, 4, 6])
    given = {"image_size": 16, "categories": ["odd", "even", "odd", "even"]}
    ((images, labels),) = passes(balanced_batches(image_set, 2, 2, **given), 1)
    ((rest, labels_of_rest),) = passes(balanced_batches(image_set, 2, 2, **given, first_batch=2), 1)
    np.testing.assert_array_equal(rest, images[2:])
    np.testing.assert_array_equal(labels_of_rest, labels[2:])
    assert sorted(map(set, labels.tolist()), key=min) == [{0, 2}] * 2 + [{1, 3}] * 3
