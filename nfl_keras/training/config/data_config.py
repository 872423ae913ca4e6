"""Settings of the photographs and of the batches made from them."""

import dataclasses
from typing import Literal

from nfl_keras.errors import UserError
from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Settings of the photographs and of the batches made from them.

    Args:
        dataset: "blooms", "flowers17", "cars196", "cub200_2011", "stanford_online_products", a
            folder with one folder of photographs per class, a .csv or .parquet file with the
            columns path, label and perhaps split, or a name that TensorFlow Datasets has prepared.
        data_dir: Folder of a named dataset. Without it flowers17 is downloaded, and the others
            are looked for where TensorFlow Datasets keeps its own.
        protocol: Who is trained on and who searched for. Defaults to the dataset's own.
        split_seeds: Seeds of the fine-grained split. Several give one run each and their mean.
        missing_images: Photographs that a dataset lists but its folder lacks are an "error", or
            "skip" them.
        on_bad_image: Photographs that cannot be decoded "stop" the run before it begins, or
            "skip" them and list them in the run's bad_images.json.
        check_images: Decode every photograph before training, to find the bad ones.
        classes_per_batch: Classes in a batch.
        images_per_class: Photographs of each class in a batch.
        small_classes: Classes with fewer photographs than that are an "error", or "drop" them, or
            "fill": they give all they have, and further classes fill the batch.
        max_rotation: Training views are turned by up to this many degrees either way.
        color: Colors of training views: "none" leaves them, "white-balance" emulates another
            white balance half of the time, "jitter" changes brightness, contrast, saturation, hue.
        white_balance_parameters: Folder of the published white-balance emulator's parameters.
            Without it "white-balance" is a random shift along the Planckian locus.
    """

    dataset: str = "blooms"
    data_dir: str | None = None
    protocol: Literal["fine-grained", "zero-shot"] | None = None
    split_seeds: list[int] = dataclasses.field(default_factory=lambda: [0])
    missing_images: Literal["error", "skip"] = "error"
    on_bad_image: Literal["stop", "skip"] = "stop"
    check_images: bool = True
    classes_per_batch: int = 8
    images_per_class: int = 8
    small_classes: Literal["error", "drop", "fill"] = "error"
    max_rotation: float = 15.0
    color: Literal["none", "white-balance", "jitter"] = "none"
    white_balance_parameters: str | None = None

    def __post_init__(self) -> None:
        check_at_least(self, 0, "split_seeds", "max_rotation")
        check_at_least(self, 1, "classes_per_batch", "images_per_class")
        if not self.split_seeds:
            raise UserError("split_seeds is empty; give one seed at least, such as [0].")
        if len(set(self.split_seeds)) < len(self.split_seeds):
            raise UserError(f"split_seeds {self.split_seeds} name one split twice.")
        if self.on_bad_image == "skip" and not self.check_images:
            raise UserError("on_bad_image skip needs check_images, which finds the bad ones.")
        if self.white_balance_parameters and self.color != "white-balance":
            raise UserError("white_balance_parameters are used by color white-balance alone.")
