"""What a species of `blooms` is: a combination of traits that no other species has."""

import dataclasses

import numpy as np

# Each trait's values lie far enough apart to be told from a photograph 64 pixels wide.
TRAITS = {
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
    def traits(self):
        """The values of the traits, in the order of `TRAITS`."""
        return tuple(getattr(self, trait) for trait in TRAITS)


def make_species(seed, num_species):
    """Invents species, the k-th of which is the same however many are asked for.

    A genus has a hue and a typical flower; each of its species departs from the typical
    flower in a few traits. Species of one genus are hence look-alikes, and any two species
    differ in two visible traits at least.

    Args:
        seed: int. Two seeds give two floras.
        num_species: int, at most `MAX_SPECIES`.

    Returns:
        A list of `num_species` `Species`, genera taking turns.
    """
    rng = np.random.default_rng([seed])
    types = [_typical(rng, hue) for hue in TRAITS["hue"]]
    flora = []
    while len(flora) < num_species:
        turn, genus = divmod(len(flora), len(_GENERA))
        traits = _depart(rng, types[genus])
        if all(_visible_differences(traits, other) >= 2 for other in flora):
            flora.append(Species(name=f"{_EPITHETS[turn]} {_GENERA[genus]}", **traits))
    return flora


def _typical(rng, hue):
    return {trait: _pick(rng, values) for trait, values in TRAITS.items()} | {"hue": hue}


def _depart(rng, typical):
    departing = rng.choice(
        [t for t in TRAITS if t != "hue"], size=rng.integers(3, 6), replace=False
    )
    return typical | {trait: _pick(rng, TRAITS[trait]) for trait in departing}


def _pick(rng, values):
    return values[rng.integers(len(values))]


def _visible_differences(traits, other):
    differing = [trait for trait in TRAITS if traits[trait] != getattr(other, trait)]
    if traits["pattern"] == other.pattern == "plain":  # a plain petal shows no accent
        differing = [trait for trait in differing if trait != "accent"]
    return len(differing)
