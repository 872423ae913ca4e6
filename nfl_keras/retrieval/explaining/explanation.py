"""Defines why two photographs are similar."""

import dataclasses

import numpy as np
from PIL import Image

from nfl_keras.retrieval.explaining.draw_heat import draw_heat

Box = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class Link:
    """Two regions, one of each photograph, and what their pair adds to the similarity.

    Args:
        a: `(x, y, width, height)` in pixels of the first photograph, upright.
        b: `(x, y, width, height)` in pixels of the second.
        part: float, of the similarity.
    """

    a: Box
    b: Box
    part: float


@dataclasses.dataclass(frozen=True, eq=False)
class Explanation:
    """Why two photographs are similar: where on each, and which region is linked with which.

    Args:
        similarity: float, cosine similarity of the embeddings of `nfl.retrieval.embed`.
        maps: two arrays float64 `[H, W]`, grids that cover the upright photographs. A value is
            what the cell adds to the similarity, together with all of the other photograph. If
            `method` names regions, each map adds up to `similarity`.
        links: tuple of `Link`, the strongest first. No region is in two of them. It is empty if
            `method` is `"gradient"`.
        is_exact: bool, whether the similarity is by its formula the sum that the maps show. If
            not, the maps are an approximation.
        method: `"regions"`, the sum over pairs of regions of mean pooling; `"regions, by the
            gradient of pooling"` of max and GeM pooling; or `"gradient"`, the gradient times the
            activations, of everything else.
        pictures: two `PIL.Image.Image`, the upright photographs, small.
        extents: two `(height, width)` of the upright photographs in pixels.

    Reference: A. Stylianou, R. Souvenir, R. Pless, Visualizing deep similarity networks, WACV 2019.
    """

    similarity: float
    maps: tuple[np.ndarray, np.ndarray]
    links: tuple[Link, ...]
    is_exact: bool
    method: str
    pictures: tuple[Image.Image, Image.Image]
    extents: tuple[tuple[int, int], tuple[int, int]]

    def draw(self, side: int = 448) -> tuple[Image.Image, Image.Image]:
        """Draws both photographs with heat, and the links as numbered frames.

        Yellow is what adds most to the similarity, and dark blue what adds least or lowers it.
        The colors are told apart with every kind of color vision. A link has the same number on
        both photographs, the strongest is 1.

        Args:
            side: int, pixels of the longer side, at most 2,048. Defaults to `448`.

        Returns:
            Two `PIL.Image.Image`, RGB, of the first and of the second photograph.
        """
        frames = [link.a for link in self.links], [link.b for link in self.links]
        first, second = (
            draw_heat(*of_one, min(side, 2048))
            for of_one in zip(self.pictures, self.maps, self.extents, frames, strict=True)
        )
        return first, second

    def __repr__(self) -> str:
        kind = "exact" if self.is_exact else "approximate"
        lines = [f"Explanation(similarity {self.similarity:.4f}, {kind}, by {self.method})"]
        for number, link in enumerate(self.links, 1):
            lines.append(f"{number:4}  {link.part:7.4f}  {link.a} - {link.b}")
        return "\n".join(lines)
