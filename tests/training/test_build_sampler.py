import pytest

from nfl_keras.data import ImageSet, load
from nfl_keras.errors import UserError
from nfl_keras.training.build_sampler import build_sampler
from nfl_keras.training.config import TrainConfig

CONFIG = TrainConfig().replace(classes_per_batch=4, images_per_class=4)


@pytest.mark.parametrize(("batch_categories", "most"), [("mixed", 4), ("single", 1)])
def test_genera_of_blooms_in_a_batch(batch_categories, most):
    train = load("blooms")
    sampler = build_sampler(train, CONFIG.replace(batch_categories=batch_categories))
    met = [len({train.categories[label] for label in train.labels[b]}) for b in sampler.epoch(0)]
    assert sampler.batches_per_epoch == 960 // 16
    assert max(met) == most


def test_classes_without_super_categories_are_refused():
    train = ImageSet(list("abcdefgh"), [0, 0, 0, 0, 1, 1, 1, 1], ["x", "y"], lambda i: b"")
    with pytest.raises(
        UserError, match=r"'photographs' does not have; give batch_categories mixed"
    ):
        build_sampler(train, CONFIG.replace(dataset="photographs", batch_categories="single"))
