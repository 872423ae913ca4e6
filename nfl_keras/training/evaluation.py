"""Repeats the evaluation of a finished run."""

from nfl_keras.data import open_dataset
from nfl_keras.training.load_learner import load_learner
from nfl_keras.training.open_photographs import blaming_photographs
from nfl_keras.training.reporting.figures import figures, in_one_line, mean_and_deviation
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.splits import Splits


def evaluate_run(path, checkpoint=None, data_dir=None):
    """Evaluates a run's saved model on the run's own splits, and prints the reports.

    Args:
        path: str, a run's folder, also one over several splits.
        checkpoint: `"last"` or `"best"`. Defaults to the one that the run reports.
        data_dir: str, where the dataset lies now. Defaults to where the run found it.

    Raises:
        UserError: if this is not the folder of a finished run, or its data are gone.
    """
    folder = RunFolder(path)
    config = folder.config()
    if data_dir is not None:
        config = config.replace(data_dir=data_dir)
    dataset = open_dataset(config.data.dataset, config.data.data_dir, config.data.missing_images)
    dataset = dataset.without(folder.bad_images())
    if len(config.data.split_seeds) == 1:
        _evaluate_split(folder, dataset, config, checkpoint)
        return
    rows = []
    for seed in config.data.split_seeds:
        of_split = config.replace(split_seeds=[seed])
        rows.append(_evaluate_split(folder.split(seed), dataset, of_split, checkpoint))
    mean, deviation = mean_and_deviation(rows)
    print(f"mean       {in_one_line(mean)}\ndeviation  {in_one_line(deviation)}")


def _evaluate_split(folder, dataset, config, checkpoint):
    model = load_learner(folder.checkpoint(checkpoint or config.evaluation.final_epoch))
    search = Splits.of(dataset, config).final
    with blaming_photographs(dataset.whole):
        vectors = search.embed(model.embedder, config.evaluation.crops)
    report = search.evaluate(*vectors)
    print(f"{report}\n", flush=True)
    return figures(report)
