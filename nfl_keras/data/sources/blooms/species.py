"""Defines the species of `blooms`: combinations of traits."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

# The values of each trait can be told apart in a photograph of 64 pixels.
TRAITS: dict[str, tuple[Any, ...]] = {
    "hue": ("rose", "lilac", "azure", "apricot", "cream"),
    "petals": (4, 5, 6, 8, 11),
    "petal_width": ("slender", "medium", "broad"),
    "tip": ("round", "pointed", "notched"),
    "pattern": ("plain", "eyed", "edged", "striped", "throated"),
    "accent": ("deep", "pale"),
    "double": (False, True),
    "center": ("disc", "seeded", "stamens", "ringed"),
    "center_color": ("gold", "umber", "lime"),
    "center_size": ("small", "large"),
}
_GENERA = ("larkrose", "duskmallow", "rainbell", "cinderpoppy", "moonaster")
_EPITHETS = (
    "alpine",
    "marsh",
    "early",
    "silken",
    "dwarf",
    "autumn",
    "island",
    "meadow",
    "noble",
    "creeping",
    "woodland",
    "northern",
    "velvet",
    "lantern",
    "desert",
    "royal",
    "winter",
    "river",
    "painted",
    "silver",
    "common",
    "hermit",
    "dancing",
    "highland",
    "evening",
    "prairie",
    "crested",
    "harbour",
    "blushing",
    "wandering",
    "summer",
    "frosted",
    "garden",
    "lonely",
    "starry",
    "southern",
    "weeping",
    "copper",
    "shepherd's",
    "feathered",
)
MAX_SPECIES = len(_GENERA) * len(_EPITHETS)


@dataclasses.dataclass(frozen=True)
class Species:
    """One species: a name and one value of each trait in `TRAITS`."""

    name: str
    hue: str
    petals: int
    petal_width: str
    tip: str
    pattern: str
    accent: str
    double: bool
    center: str
    center_color: str
    center_size: str

    @property
    def genus(self) -> str:
        return self.name.split()[-1]

    @property
    def traits(self) -> tuple[str | int | bool, ...]:
        """Returns the values of the traits, in the order of `TRAITS`."""
        return tuple(getattr(self, trait) for trait in TRAITS)


def make_species(seed: int, num_species: int) -> list[Species]:
    """Invents species. The k-th species does not depend on their number.

    A genus has a hue and a typical flower, and each of its species differs from the typical
    flower in a few traits. Species of one genus therefore look alike. Any two species differ in
    at least two visible traits.

    Args:
        seed: int. Two seeds give two floras.
        num_species: int, at most `MAX_SPECIES`.

    Returns:
        A list of `num_species` `Species`, one of each genus in turn.
    """
    rng = np.random.default_rng([seed])
    types = [_typical(rng, hue) for hue in TRAITS["hue"]]
    flora: list[Species] = []
    while len(flora) < num_species:
        turn, genus = divmod(len(flora), len(_GENERA))
        traits = _depart(rng, types[genus])
        if all(_visible_differences(traits, other) >= 2 for other in flora):
            flora.append(Species(name=f"{_EPITHETS[turn]} {_GENERA[genus]}", **traits))
    return flora


def _typical(rng: np.random.Generator, hue: str) -> dict[str, Any]:
    return {trait: _pick(rng, values) for trait, values in TRAITS.items()} | {"hue": hue}


def _depart(rng: np.random.Generator, typical: dict[str, Any]) -> dict[str, Any]:
    departing = rng.choice(
        [t for t in TRAITS if t != "hue"], size=rng.integers(3, 6), replace=False
    )
    return typical | {trait: _pick(rng, TRAITS[trait]) for trait in departing}


def _pick(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def _visible_differences(traits: dict[str, Any], other: Species) -> int:
    differing = [trait for trait in TRAITS if traits[trait] != getattr(other, trait)]
    if traits["pattern"] == other.pattern == "plain":  # A plain petal shows no accent.
        differing = [trait for trait in differing if trait != "accent"]
    return len(differing)
