"""Settings of the photographs, and of the batches that they make."""

import dataclasses
from typing import Literal

from nfl_keras.errors import UserError
from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Settings of the photographs, and of the batches that they make.

    Args:
        dataset: The photographs: "blooms", "flowers17", "cars196", "cub200_2011",
            "stanford_online_products", "in_shop", a folder with one folder of photographs per
            class, perhaps below train/ and test/, a .csv, .tsv or .parquet file with the columns
            path, label and perhaps split, or a name that TensorFlow Datasets has prepared.
        data_dir: Folder that holds a named dataset. Without it, flowers17 is downloaded, and the
            other names are looked for where TensorFlow Datasets keeps its own.
        protocol: How classes and photographs are divided into training and test. "zero-shot" trains
            on no class of the test; "fine-grained" trains on other photographs of the same classes.
            Defaults to the dataset's own.
        train_on: What to train on: "train", the training split, so that the run measures the test;
            or "all" classes and photographs, those of test and validation too, by settings chosen
            before. "all" holds out a few to watch, whatever the protocol: the validation_classes,
            or without them two photographs of each of some classes, a twentieth of all
            photographs. By these it measures epochs and chooses a blend of "auto". No test figure
            follows from it.
        split_seeds: Seeds by which the fine-grained protocol divides the photographs. Several seeds
            give one run each, and the mean over the runs.
        missing_images: What to do where the dataset lists a photograph that its folder lacks: stop
            with an "error", or "skip" the photograph.
        on_bad_image: What to do with a photograph that cannot be decoded: "stop" before the run
            begins, or "skip" the photograph and list it in the run's bad_images.json.
        check_images: Decode every photograph before training, to find the bad ones.
        classes_per_batch: Classes in a batch.
        images_per_class: Photographs of each class in a batch.
        small_classes: What to do with a class of fewer than images_per_class photographs: stop with
            an "error", "drop" the class, or "fill" the batch with further classes after it has
            given all its photographs.
        batch_categories: Whether a batch has classes of "mixed" super-categories, or of a "single"
            one, which are harder to tell apart. blooms (genera), stanford_online_products (kinds of
            product) and in_shop (kinds of clothes) have super-categories.
        max_rotation: Each training view is turned by a random angle of at most this many degrees,
            either way.
        color: How the colors of training views change: "none" leaves them, "white-balance" renders
            half of the views under another white balance, "jitter" changes brightness, contrast,
            saturation and hue.
        white_balance_parameters: Folder with the published parameters of the white-balance
            emulator. Without it, "white-balance" shifts colors at random along the Planckian locus.
        cache_views: Train on this many views of each photograph. The outputs of the frozen layers
            for them, and for all that the recipe makes of them, are computed once into files of
            the run folder, which is many times faster. With 0, each use of a photograph is a new
            view, which goes through the whole network.
        cache_dir: Folder where the files of cache_views are kept for other runs, also at the same
            time (on Windows, one after the other): those of evaluation for all with the same
            photographs and frozen layers, those of training for all whose views are the same, too,
            by seed, colors, rotation and what the recipe makes of them. Without it, they are
            removed at the end of the run.
    """

    dataset: str = "blooms"
    data_dir: str | None = None
    protocol: Literal["fine-grained", "zero-shot"] | None = None
    train_on: Literal["train", "all"] = "train"
    split_seeds: list[int] = dataclasses.field(default_factory=lambda: [0])
    missing_images: Literal["error", "skip"] = "error"
    on_bad_image: Literal["stop", "skip"] = "stop"
    check_images: bool = True
    classes_per_batch: int = 8
    images_per_class: int = 8
    small_classes: Literal["error", "drop", "fill"] = "error"
    batch_categories: Literal["mixed", "single"] = "mixed"
    max_rotation: float = 15.0
    color: Literal["none", "white-balance", "jitter"] = "none"
    white_balance_parameters: str | None = None
    cache_views: int = 0
    cache_dir: str | None = None

    def __post_init__(self) -> None:
        check_at_least(self, 0, "split_seeds", "max_rotation", "cache_views")
        check_at_least(self, 1, "classes_per_batch", "images_per_class")
        if not self.split_seeds:
            raise UserError("split_seeds is empty; give one seed at least, such as [0].")
        if len(set(self.split_seeds)) < len(self.split_seeds):
            raise UserError(f"split_seeds {self.split_seeds} name one split twice.")
        if self.train_on == "all" and len(self.split_seeds) > 1:
            raise UserError(
                f"train_on all has no test that split_seeds {self.split_seeds} could divide; give "
                f"one seed, such as [0]."
            )
        if self.on_bad_image == "skip" and not self.check_images:
            raise UserError("on_bad_image skip needs check_images, which finds the bad ones.")
        if self.white_balance_parameters and self.color != "white-balance":
            raise UserError("white_balance_parameters are used by color white-balance alone.")
        if self.cache_dir and not self.cache_views:
            raise UserError("cache_dir is used by cache_views alone; set it above 0.")
