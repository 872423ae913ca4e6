"""Defines `blooms`, fine-grained photographs of flowers that the package draws itself."""

import functools

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.blooms.drawing import photograph
from nfl_keras.data.sources.blooms.species import MAX_SPECIES, Species, make_species
from nfl_keras.errors import UserError

_PHOTOGRAPHS_KEPT = 4096  # About 25 MB at 96 pixels.


def blooms(
    seed: int = 0, num_species: int = 40, images_per_species: int = 48, image_size: int = 96
) -> ImageSet:
    """Returns drawn flowers of species that differ in subtle traits.

    The species of a genus share a hue and a typical flower. They differ in the petals' count,
    width, tip, pattern and rows, and in the center's kind, color and size. Every picture has its
    own pose, scale, light, background and clutter, and half of the pictures have a blade or leaf
    before the flower. The same arguments always give the same pictures. A picture is drawn when
    it is first read.

    Args:
        seed: int. Two seeds give two floras. Defaults to `0`.
        num_species: int, 2 to 200. The first species do not depend on this number. Defaults to
            `40`.
        images_per_species: int >= 1. Defaults to `48`.
        image_size: int, 32 to 1024. Height and width in pixels. Defaults to `96`.

    Returns:
        An `ImageSet` of JPEGs, species by species, whose categories are the genera.

    Raises:
        UserError: if a number is out of its range.

    Example:

    >>> from nfl_keras.data.sources.blooms import blooms
    >>> blooms(num_species=10)
    ImageSet(480 photographs of 10 classes)
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

    def read(position: int) -> bytes:
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
        categories=[kind.genus for kind in species],
    )


@functools.lru_cache(maxsize=_PHOTOGRAPHS_KEPT)
def _draw(species: Species, seeds: tuple[int, int, int], image_size: int) -> bytes:
    return photograph(species, np.random.default_rng(seeds), image_size)
