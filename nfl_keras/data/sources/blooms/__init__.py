"""`blooms`: a fine-grained set of flower photographs that the package draws itself."""

import functools

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.blooms.drawing import photograph
from nfl_keras.data.sources.blooms.species import MAX_SPECIES, make_species
from nfl_keras.errors import UserError

_PHOTOGRAPHS_KEPT = 4096  # some 25 MB at 96 pixels


def blooms(seed=0, num_species=40, images_per_species=48, image_size=96):
    """Drawn flowers of species that differ in subtle things.

    Species share a genus' hue and typical flower and depart from it in petal count, width and
    tip, pattern, double rows, and the center's kind, color and size. Every picture has its
    own pose, scale, light, background, clutter and, half of the time, a blade or leaf before
    the flower. The same arguments give the same pictures, whatever is drawn before or beside
    them; each is drawn when first read.

    Args:
        seed: int. Two seeds give two floras. Defaults to `0`.
        num_species: int, 2 to 200. The first ones do not depend on how many there are.
            Defaults to `40`.
        images_per_species: int >= 1. Defaults to `48`.
        image_size: int, 32 to 1024. Height and width in pixels. Defaults to `96`.

    Returns:
        An `ImageSet` of JPEGs, species by species.

    Raises:
        UserError: if a number is out of its range.

    Example:

    >>> len(blooms(num_species=10))
    480
    """
    limits = {
        "seed": (seed, 0, 2**63),
        "num_species": (num_species, 2, MAX_SPECIES),
        "images_per_species": (images_per_species, 1, 10_000),
        "image_size": (image_size, 32, 1024),
    }
    for name, (value, least, most) in limits.items():
        if not least <= value <= most:
            raise UserError(f"{name} must lie between {least} and {most}, not {value}.")
    species = make_species(seed, num_species)

    def read(position):
        kind, number = divmod(position, images_per_species)
        return _draw(species[kind], (seed, kind, number), image_size)

    return ImageSet(
        ids=[
            f"species_{kind:03d}/{number:04d}.jpg"
            for kind in range(num_species)
            for number in range(images_per_species)
        ],
        labels=np.repeat(np.arange(num_species), images_per_species),
        class_names=[kind.name for kind in species],
        read=read,
    )


@functools.lru_cache(maxsize=_PHOTOGRAPHS_KEPT)
def _draw(species, seeds, image_size):
    return photograph(species, np.random.default_rng(seeds), image_size)
