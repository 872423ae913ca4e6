"""Defines how the evaluation of a finished run is repeated."""

from nfl_keras.data import Dataset, open_dataset
from nfl_keras.data.decoding.explain_photograph_errors import explain_photograph_errors
from nfl_keras.models.recipes import import_recipe
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.load_learner import load_learner
from nfl_keras.training.reporting.figures import all_figures, in_one_line, mean_and_deviation
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.splits import Splits
from nfl_keras.typing import Path


def evaluate_run(
    path: Path,
    checkpoint: str | None = None,
    data_dir: str | None = None,
    recipe: str | None = None,
    rerank: str | None = None,
) -> None:
    """Evaluates a run's saved model on the run's own splits, and prints the reports.

    Args:
        path: str or path, the folder of a run over one split or several.
        checkpoint: `"last"`, `"best"` or `"blend"`. Defaults to the model whose figures the run
            reports.
        data_dir: str, where the dataset is now. Defaults to where the run found it.
        recipe: str, `"package.module.Class"` of the run's recipe, which this call imports. It is
            needed for a recipe from outside of nfl_keras. Defaults to `None`.
        rerank: str, a re-ranking to measure, too, see
            `nfl_keras.retrieval.reranking.parse_rerank`. Defaults to that of the run.

    Raises:
        UserError: if this is not the folder of a finished run, its recipe cannot be found, or
            its data are gone.
    """
    if recipe is not None:
        import_recipe(recipe)
    folder = RunFolder(path)
    config = folder.config()
    if data_dir is not None:
        config = config.replace(data_dir=data_dir)
    if rerank is not None:
        config = config.replace(rerank=rerank)
    dataset = open_dataset(config.data.dataset, config.data.data_dir, config.data.missing_images)
    dataset = dataset.without(folder.bad_images())
    seeds = config.data.split_seeds
    if len(seeds) == 1:
        _evaluate_split(folder, dataset, config, checkpoint)
        return
    rows = []
    for seed in seeds:
        of_split = config.replace(split_seeds=[seed])
        rows.append(_evaluate_split(folder.split(seed), dataset, of_split, checkpoint))
    mean, deviation = mean_and_deviation(rows)
    print(f"mean       {in_one_line(mean)}\ndeviation  {in_one_line(deviation)}")


def _evaluate_split(
    folder: RunFolder, dataset: Dataset, config: TrainConfig, checkpoint: str | None
) -> dict[str, float]:
    saved = folder.checkpoint(checkpoint or config.evaluation.final_checkpoint)
    model = load_learner(saved, config.recipe.learner)
    task = Splits.of(dataset, config).final
    with explain_photograph_errors(dataset.whole):
        vectors = task.embed(model.embedder, config.evaluation.crops)
    report = task.evaluate(*vectors, config.evaluation.rerank)
    print(f"{report}\n", flush=True)
    return all_figures(report)
