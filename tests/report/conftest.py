"""Pages and pictures that the tests of the report share."""

import dataclasses
import html.parser
import io

import numpy as np
import pytest
from PIL import Image

_VOID = {"meta", "img", "link", "br", "hr", "input"}


@dataclasses.dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict
    children: list = dataclasses.field(default_factory=list)

    def find(self, tag, class_name=None):
        """Every element below this one of a tag, and of a class if one is given."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and (class_name is None or class_name in child.classes):
                    found.append(child)
                found += child.find(tag, class_name)
        return found

    def every(self):
        """This element and all below it."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.every()

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()

    @property
    def text(self):
        return "".join(c.text if isinstance(c, Element) else c for c in self.children)


class _Parser(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = [Element("document", {})]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        self.open[-1].children.append(data)


@pytest.fixture(scope="session")
def parse():
    """Function from a page (a path or text) to its root `Element`."""

    def parse(page):
        parser = _Parser()
        parser.feed(page if isinstance(page, str) else page.read_bytes().decode("utf-8"))
        parser.close()
        assert len(parser.open) == 1, "an element is not closed"
        return parser.open[0]

    return parse


@pytest.fixture(scope="session")
def encode():
    """Function from an image to its encoded bytes."""

    def encode(image, file_format="PNG", **options):
        encoded = io.BytesIO()
        image.save(encoded, file_format, **options)
        return encoded.getvalue()

    return encode


@pytest.fixture(scope="session")
def photograph(encode):
    """Function from a seed to a JPEG with a photograph's coarse shapes and fine grain."""

    def photograph(seed=0, size=(300, 240)):
        generator = np.random.default_rng(seed)
        coarse = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        pixels = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
        grain = generator.normal(0, 12, pixels.shape)
        noisy = np.clip(pixels + grain, 0, 255).astype(np.uint8)
        return encode(Image.fromarray(noisy), "JPEG", quality=90)

    return photograph
