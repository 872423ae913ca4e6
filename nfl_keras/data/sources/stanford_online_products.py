"""Defines Stanford Online Products: 22,634 products, from the official archive or TFDS."""

import pathlib

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.read_columns import read_columns
from nfl_keras.data.sources.whereabouts import Whereabouts
from nfl_keras.data.sources.without_missing import MissingImages, without_missing
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

WHEREABOUTS = Whereabouts(
    tfds_names=("stanford_online_products",),
    name="stanford_online_products",
    places=[
        "the official page, https://cvgl.stanford.edu/projects/lifted_struct/ "
        "(Stanford_Online_Products.zip; unpack it)",
        "Kaggle: liucong12601/stanford-online-products-dataset",
        "TFDS: tfds build stanford_online_products --file_format=array_record --data_dir=FOLDER",
    ],
    tree="""Stanford_Online_Products/
  Ebay_train.txt
  Ebay_test.txt
  bicycle_final/
    111085122871_0.JPG
    ...
  ...""",
)


def stanford_online_products(
    data_dir: Path | None = None, missing_images: MissingImages = "error"
) -> ImageSet:
    """Returns all 120,053 photographs of Stanford Online Products, with the dataset's own split.

    Args:
        data_dir: str or path of a folder that holds `Ebay_train.txt` and `Ebay_test.txt`, or
            `Stanford_Online_Products/` with them, or `stanford_online_products` as prepared by
            TFDS. Defaults to `None`: TFDS' default folder.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
            Defaults to `"error"`.

    Returns:
        An `ImageSet` with its products in the official order, whose categories are kinds of
        product.

    Raises:
        UserError: if the dataset is not found, or its lists cannot be read.

    Reference: Song et al., Deep Metric Learning via Lifted Structured Feature Embedding, 2016.
    """
    roots = [] if data_dir is None else [pathlib.Path(data_dir)]
    expected = None
    for root in [path / below for path in roots for below in (".", "Stanford_Online_Products")]:
        if (root / "Ebay_train.txt").is_file():
            whole = _annotated(root)
            found = without_missing(whole, root, missing_images, WHEREABOUTS.name)
            if len(found):
                return found
            expected = root / str(whole.ids[0]) if len(whole) else None
    return WHEREABOUTS.from_tfds(data_dir, expected)


def _annotated(root: pathlib.Path) -> ImageSet:
    files: list[str] = []
    products: list[int] = []
    own_split: list[str] = []
    kinds: dict[int, str] = {}
    for split in ("train", "test"):
        path = root / f"Ebay_{split}.txt"
        for _, product, _, file in read_columns(path, 4, header=1):
            if not product.isdecimal():
                raise UserError(
                    f"{str(path)!r} gives {file!r} the class {product!r}, which is not a number; "
                    f"unpack the file again."
                )
            files.append(file)
            products.append(int(product))
            kinds[int(product)] = file.partition("/")[0].removesuffix("_final")
            own_split.append(split)
    numbers, labels = np.unique(products, return_inverse=True)
    class_names = [f"{kinds[number]} {number}" for number in numbers]
    categories = [kinds[number] for number in numbers]
    return file_set(root, files, labels, class_names, own_split, categories)
