"""Defines how a method that trains nothing is measured."""

import dataclasses
import time
from collections.abc import Iterator, Mapping

import numpy as np

from nfl_keras.data import Dataset, ImageSet, open_dataset
from nfl_keras.progress import Progress
from nfl_keras.report import write_report
from nfl_keras.reproduction.descriptors import DESCRIPTORS, Descriptor
from nfl_keras.retrieval import RetrievalTask
from nfl_keras.retrieval.descriptors import PCAWhitening, describe, feature_maps
from nfl_keras.retrieval.descriptors.sum_of_parts import sum_of_parts
from nfl_keras.training.build_model import build_embedder
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.reporting.figures import figures
from nfl_keras.training.run_folder import RunFolder


def describe_splits(name: str, config: TrainConfig, folders: Mapping[int, RunFolder]) -> None:
    """Measures a descriptor on splits of a dataset, and writes a run folder for each.

    Whitening is learned from the center crops of the training photographs of each split.

    Args:
        name: str, a name in `DESCRIPTORS`.
        config: `TrainConfig` whose data, network and crops are used.
        folders: mapping from seeds of splits to the folders to write.

    Raises:
        UserError: if photographs or network cannot be used.
    """
    start = time.perf_counter()
    descriptor = DESCRIPTORS[name]
    dataset = open_dataset(config.data.dataset, config.data.data_dir, config.data.missing_images)
    parts = {seed: _Parts.of(dataset, config, seed) for seed in folders}
    needed = [p.train.ids for p in parts.values() if descriptor.whitened]
    needed += [s.ids for p in parts.values() for s in (p.task.query, p.task.gallery)]
    is_needed = np.isin(dataset.whole.ids, np.concatenate(needed))
    photographs = dataset.whole.subset(is_needed)
    vectors = _vectors(descriptor, config, photographs)
    seconds = time.perf_counter() - start
    for seed, folder in folders.items():
        of = parts[seed]
        query, gallery = (
            vectors[_positions(photographs, part)] for part in (of.task.query, of.task.gallery)
        )
        if descriptor.whitened:
            centers = vectors[np.isin(photographs.ids, of.train.ids), 0]
            whitening = PCAWhitening(centers.reshape(-1, vectors.shape[-1]), descriptor.whitened)
            query, gallery = whitening(query), whitening(gallery)
        query, gallery = sum_of_parts(query), sum_of_parts(gallery)
        report = of.task.evaluate(query, gallery)
        if not folder.exists:
            RunFolder.create(folder.path, config.replace(split_seeds=[seed]))
        folder.write_json(
            "metrics.json",
            {
                "trained": dataclasses.asdict(report),
                "dimensions": query.shape[1],
                "seconds": seconds / len(folders),
            },
        )
        write_report(
            folder.report,
            title=f"{config.data.dataset}, {name}",
            summary=of.task.description,
            models={name: figures(report)},
            config={"data": config.sections()["data"], "embedder": config.sections()["embedder"]},
        )


@dataclasses.dataclass(frozen=True)
class _Parts:
    train: ImageSet
    task: RetrievalTask

    @classmethod
    def of(cls, dataset: Dataset, config: TrainConfig, seed: int) -> "_Parts":
        train, query, gallery = (
            dataset.split(split, config.data.protocol, seed)
            for split in ("train", "query", "gallery")
        )
        return cls(train, RetrievalTask(query, gallery, ks=config.evaluation.ks))


def _vectors(descriptor: Descriptor, config: TrainConfig, photographs: ImageSet) -> np.ndarray:
    """Describes every crop, `[N, crops, D]`, or `[N, crops, R, D]` with R regions."""
    crops = config.evaluation.crops
    if descriptor.of_pixels:
        size = config.embedder.image_size
        of_all = describe(photographs, descriptor.describe, crops=crops, image_size=size)
        return of_all[:, None]

    def described() -> Iterator[np.ndarray]:
        for maps in feature_maps(build_embedder(config), photographs, crops):
            yield np.stack([descriptor.describe(m) for m in maps.swapaxes(0, 1)], axis=1)

    with Progress(len(photographs), "photographs described") as progress:
        return np.concatenate(list(progress.counted(described())))


def _positions(photographs: ImageSet, part: ImageSet) -> np.ndarray:
    of_id = {photograph: position for position, photograph in enumerate(photographs.ids)}
    return np.array([of_id[photograph] for photograph in part.ids])
