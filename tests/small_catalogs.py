import itertools

import numpy as np
from hypothesis import strategies as st

from nfl_keras.gallery.faults.catalog import Catalog

# All inner products of these are multiples of 1/4, exact in any precision, so that ties are many.
CORNERS = np.array([list(v) for v in itertools.product([-0.5, 0.5], repeat=4)], "float32")


def small_catalog(corners, contents=None, labels=None, dtype="float32", prefix=""):
    """A catalog whose vectors are corners of a cube of four dimensions, given by number."""
    return Catalog(
        ids=[f"{prefix}{position}.jpg" for position in range(len(corners))],
        labels=labels,
        hashes=np.arange(len(corners)) if contents is None else np.array(contents),
        vectors=CORNERS[list(corners)].astype(dtype),
        read=lambda position: f"{prefix}{position}".encode(),
    )


@st.composite
def drawn_catalogs(draw, prefix="", most=24):
    count = draw(st.integers(1, most))

    def column(values):
        return draw(st.lists(values, min_size=count, max_size=count))

    return small_catalog(
        corners=column(st.integers(0, 15)),
        contents=column(st.integers(0, 30)),
        labels=column(st.sampled_from(["iris", "pansy", "tulip", None])),
        dtype=draw(st.sampled_from(["float32", "float16"])),
        prefix=prefix,
    )


def similarity_of(catalog, i, other, j):
    """The cosine similarity of two photographs, by a plain sum."""
    pairs = zip(catalog.vectors[i].tolist(), other.vectors[j].tolist(), strict=True)
    return sum(a * b for a, b in pairs)


def connected(edges):
    """The groups that edges between numbers connect, each ascending, by repeated merging."""
    groups = []
    for edge in edges:
        touched = [group for group in groups if group & set(edge)]
        groups = [group for group in groups if group not in touched]
        groups.append(set(edge).union(*touched))
    return sorted(map(sorted, groups))
