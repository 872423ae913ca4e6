import concurrent.futures
import hashlib
import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nfl_keras.data.sources.blooms import _draw, blooms
from nfl_keras.data.sources.blooms.species import MAX_SPECIES, make_species
from nfl_keras.errors import UserError


@pytest.fixture(autouse=True)
def _nothing_drawn_yet():
    _draw.cache_clear()


def pixels(encoded):
    return np.asarray(Image.open(io.BytesIO(encoded)), dtype=np.float64)


def test_categories_are_genera():
    flora = blooms(num_species=7)
    genera = [name.split()[1] for name in flora.class_names]
    assert flora.categories == tuple(genera)
    assert len(set(genera)) == 5


def test_species_and_photographs_are_counted_and_named():
    image_set = blooms(num_species=7, images_per_species=5)
    assert len(image_set) == 35
    np.testing.assert_array_equal(image_set.labels, np.arange(35) // 5)
    assert len(set(image_set.class_names)) == 7
    assert all(len(name.split()) == 2 for name in image_set.class_names)
    assert image_set.ids[6] == "species_001/0001.jpg"


def test_by_default_there_are_40_species_of_48():
    image_set = blooms()
    np.testing.assert_array_equal(np.bincount(image_set.labels), [48] * 40)


@pytest.mark.parametrize("image_size", [32, 96])
def test_photographs_have_the_size_asked_for(image_size):
    image = Image.open(io.BytesIO(blooms(num_species=2, image_size=image_size).read(3)))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (image_size, image_size))


def test_a_photograph_depends_on_nothing_but_its_seed_species_and_number():
    first = blooms(seed=3, num_species=6, images_per_species=4)
    in_order = [first.read(i) for i in range(24)]
    _draw.cache_clear()
    again = blooms(seed=3, num_species=9, images_per_species=5)
    for position in reversed(range(24)):
        species, number = divmod(position, 4)
        assert again.read(5 * species + number) == in_order[position]


def test_threads_do_not_disturb_each_other():
    image_set = blooms(num_species=4, images_per_species=6, image_size=32)
    alone = [image_set.read(i) for i in range(24)]
    _draw.cache_clear()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(image_set.read, range(24))) == alone


def test_another_process_draws_the_same():
    code = (
        "import hashlib; from nfl_keras.data.sources.blooms import blooms; "
        "print(hashlib.sha256(blooms(seed=1).read(100)).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = hashlib.sha256(blooms(seed=1).read(100)).hexdigest()
    assert there.stdout.strip() == here


def test_seeds_give_other_floras_and_other_pictures():
    one, other = make_species(0, 40), make_species(1, 40)
    assert sum(a.traits != b.traits for a, b in zip(one, other, strict=True)) > 35
    assert blooms(seed=0).read(0) != blooms(seed=1).read(0)


def test_pictures_of_one_species_differ():
    image_set = blooms(num_species=2, images_per_species=8)
    pictures = [pixels(image_set.read(i)) for i in range(8)]
    for i in range(8):
        for j in range(i):
            assert np.abs(pictures[i] - pictures[j]).mean() > 8


@pytest.mark.parametrize("seed", range(5))
def test_any_two_species_differ_in_two_traits_that_show(seed):
    flora = make_species(seed, MAX_SPECIES if seed == 0 else 40)
    for i, species in enumerate(flora):
        for other in flora[:i]:
            differing = {
                trait
                for trait, a, b in zip(
                    species.__dataclass_fields__,
                    ("", *species.traits),
                    ("", *other.traits),
                    strict=True,
                )
                if a != b
            }
            if species.pattern == other.pattern == "plain":
                differing.discard("accent")
            assert len(differing) >= 2


def test_each_species_has_look_alikes():
    flora = make_species(0, 40)
    for species in flora:
        nearest = min(
            sum(a != b for a, b in zip(species.traits, other.traits, strict=True))
            for other in flora
            if other is not species
        )
        assert nearest <= 5


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_species": 1},
        {"num_species": MAX_SPECIES + 1},
        {"images_per_species": 0},
        {"image_size": 8},
        {"image_size": 100_000},
        {"seed": -1},
    ],
)
def test_numbers_out_of_range_are_named(arguments):
    (name,) = arguments
    with pytest.raises(UserError, match=name) as error:
        blooms(**arguments)
    assert "\n" not in str(error.value)
