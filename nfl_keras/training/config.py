"""The settings of a training run, and the command line and YAML they are read from."""

import dataclasses
from typing import Literal

import docstring_parser
import jsonargparse
from jsonargparse.typing import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from nfl_keras.errors import UserError

_OF_ONE_RECIPE = {
    "noise-invariant": ("lambda_n", "lambda_s", "label_smoothing"),
    "noise-assisted": (
        "lambda_intra",
        "lambda_pretext",
        "lambda_softmax",
        "noise",
        "window",
        "pretext",
    ),
}
_RECIPE_OF = {name: recipe for recipe, names in _OF_ONE_RECIPE.items() for name in names}


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run. The defaults train on `blooms` from random weights.

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
        validation_classes: Training classes held out, on which the epochs are measured and the
            best one chosen (2 or more: one alone is always found). 0 measures epochs on the test
            queries.
        evaluate_on: "test", or "validation" to leave the test photographs alone and measure on
            held out ones, for choosing settings: on validation_classes, or else on a quarter of
            the training split (classes under zero-shot, photographs under fine-grained).
        final_epoch: Whose figures the run reports: the "last" epoch's, or the "best" one's by
            mAP, which is no test result unless there are validation_classes.
        backbone: "tiny" (random weights), a KerasHub preset name, or a preset folder.
        embedding_dim: Dimensions of the embedding; null for the pooled features themselves.
        image_size: Side of the square images in pixels.
        pixel_scale: Pixels enter the backbone as scale * (0..255) + offset; one number, or one
            per channel. Defaults to what the preset states.
        pixel_offset: See pixel_scale.
        freeze_through: Freeze the backbone up to the last layer whose name starts so ("block5").
        freeze_batch_norm: Keep every BatchNormalization layer as it was pretrained.
        synchronize_batch_norm: Let BatchNormalization take its statistics over the whole batch of
            all replicas. Otherwise each replica takes those of its own images.
        recipe: "noise-invariant", the first paper's L_D, L_N and L_S; or "noise-assisted", the
            second's L_D (there L_inter), L_intra and L_pretext.
        lambda_d: Weight of L_D, class discrimination. 0 leaves a term out.
        temperature: Temperature of L_D, L_N and L_intra.
        noise_stddev: Standard deviation of Gaussian noise, for images in 0..1.
        lambda_n: Weight of L_N, noise invariance. This and the next two are noise-invariant's.
        lambda_s: Weight of L_S, noisy classification.
        label_smoothing: Probability that L_S spreads over the wrong classes.
        lambda_intra: Weight of L_intra, diversity within a class. This and the next five are
            noise-assisted's.
        lambda_pretext: Weight of L_pretext, if there is a pretext task.
        lambda_softmax: Weight of a plain classification beside them.
        noise: Noise of the positives of L_intra: "shuffle" permutes the pixels of each window,
            "gaussian" adds to them, "none" leaves them as they are.
        window: Side of the windows of noise shuffle in pixels.
        pretext: Pretext task: "rotation", "exemplar" or "jigsaw".
        classes_per_batch: Classes in a batch.
        images_per_class: Photographs of each class in a batch.
        small_classes: Classes with fewer photographs than that are an "error", or "drop" them, or
            "fill": they give all they have, and further classes fill the batch.
        max_rotation: Training views are turned by up to this many degrees either way.
        color: Colors of training views: "none" leaves them, "white-balance" emulates another
            white balance half of the time, "jitter" changes brightness, contrast, saturation, hue.
        white_balance_parameters: Folder of the published white-balance emulator's parameters.
            Without it "white-balance" is a random shift along the Planckian locus.
        epochs: Passes over the training photographs.
        optimizer: "adamw" or "sgd".
        momentum: Momentum of sgd.
        learning_rate: Peak of the learning rate, reached by a linear warm-up.
        backbone_rate: Factor on the learning rate of the backbone's weights.
        schedule: How the rate falls: along a "cosine" to 0 at the end, by a factor every few
            epochs ("step"), or not at all ("constant").
        step_epochs: Epochs between the falls of schedule step.
        step_factor: Factor of each of them.
        warmup_epochs: Epochs of warm-up.
        weight_decay: Decoupled weight decay, of kernels only.
        clip_norm: Gradients of a greater norm, of all weights together, are scaled down to it. 0
            leaves them.
        ema: Momentum per step of a moving average of the weights, such as 0.999. The averages are
            measured and saved, while training goes on from the weights themselves. 0 for none.
        early_stopping_epochs: Stop after so many epochs without a better mAP. 0 never stops early.
        strategy: What to train on: "one" device; "mirrored", all GPUs of this machine (or all
            logical CPUs, where it has no GPU); "multi-worker", the machines that the environment
            variable TF_CONFIG names, on each of which the same command runs; "auto", the last if
            TF_CONFIG names several, else all GPUs. The batch is that of all of them together.
        precision: Arithmetic of the network; weights and losses are always float32. Under
            mixed_float16 the loss is scaled, by itself.
        jit_compile: Compile the step with XLA. Defaults to Keras' choice: on one GPU, not on CPUs,
            where it is slower.
        crops: Crops per photograph in the final evaluation, 1 or 3.
        evaluate_every: Epochs between evaluations (with one crop) during training; 0 for none.
        checkpoint_every: Steps between checkpoints to resume from within an epoch; every epoch
            ends with one. 0 for these alone.
        seed: Seed of weights, batches, views and noise. Which photographs make a batch follows
            from it on any machine; views, noise and first weights with the same versions. What
            training makes of them repeats to rounding, bit for bit if deterministic.
        deterministic: Use deterministic operations alone, so that a run repeats itself, and goes
            on after a stop, bit for bit on the same machine. Slower, on a GPU above all.
        run_dir: Folder for the run's results, new or empty. Defaults to runs/DATASET-TIME.
    """

    dataset: str = "blooms"
    data_dir: str | None = None
    protocol: Literal["fine-grained", "zero-shot"] | None = None
    split_seeds: list[NonNegativeInt] = dataclasses.field(default_factory=lambda: [0])
    missing_images: Literal["error", "skip"] = "error"
    on_bad_image: Literal["stop", "skip"] = "stop"
    check_images: bool = True
    validation_classes: NonNegativeInt = 0
    evaluate_on: Literal["test", "validation"] = "test"
    final_epoch: Literal["last", "best"] = "last"
    backbone: str = "tiny"
    embedding_dim: PositiveInt | None = 128
    image_size: PositiveInt = 64
    pixel_scale: float | list[float] | None = None
    pixel_offset: float | list[float] | None = None
    freeze_through: str | None = None
    freeze_batch_norm: bool = False
    synchronize_batch_norm: bool = False
    recipe: Literal["noise-invariant", "noise-assisted"] = "noise-invariant"
    lambda_d: NonNegativeFloat = 1.0
    temperature: PositiveFloat = 0.1
    noise_stddev: NonNegativeFloat = 0.1
    lambda_n: NonNegativeFloat = 1.0
    lambda_s: NonNegativeFloat = 1.0
    label_smoothing: NonNegativeFloat = 0.1
    lambda_intra: NonNegativeFloat = 1.0
    lambda_pretext: NonNegativeFloat = 1.0
    lambda_softmax: NonNegativeFloat = 0.0
    noise: Literal["shuffle", "gaussian", "none"] = "shuffle"
    window: PositiveInt = 8
    pretext: Literal["rotation", "exemplar", "jigsaw"] | None = None
    classes_per_batch: PositiveInt = 8
    images_per_class: PositiveInt = 8
    small_classes: Literal["error", "drop", "fill"] = "error"
    max_rotation: NonNegativeFloat = 15.0
    color: Literal["none", "white-balance", "jitter"] = "none"
    white_balance_parameters: str | None = None
    epochs: PositiveInt = 12
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: NonNegativeFloat = 0.9
    learning_rate: PositiveFloat = 1e-3
    backbone_rate: PositiveFloat = 1.0
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    step_epochs: PositiveInt = 15
    step_factor: PositiveFloat = 0.1
    warmup_epochs: NonNegativeFloat = 1.0
    weight_decay: NonNegativeFloat = 1e-4
    clip_norm: NonNegativeFloat = 0.0
    ema: NonNegativeFloat = 0.0
    early_stopping_epochs: NonNegativeInt = 0
    strategy: Literal["auto", "one", "mirrored", "multi-worker"] = "auto"
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: bool | None = None
    crops: Literal[1, 3] = 1
    evaluate_every: NonNegativeInt = 1
    checkpoint_every: NonNegativeInt = 200
    seed: NonNegativeInt = 0
    deterministic: bool = False
    run_dir: str | None = None

    def __post_init__(self):
        if not self.split_seeds:
            raise UserError("split_seeds is empty; give one seed at least, such as [0].")
        if len(set(self.split_seeds)) < len(self.split_seeds):
            raise UserError(f"split_seeds {self.split_seeds} name one split twice.")
        if self.on_bad_image == "skip" and not self.check_images:
            raise UserError("on_bad_image skip needs check_images, which finds the bad ones.")
        if self.white_balance_parameters and self.color != "white-balance":
            raise UserError("white_balance_parameters are used by color white-balance alone.")
        if self.final_epoch == "best" and not self.evaluate_every:
            raise UserError("final_epoch best needs evaluate_every above 0.")
        if self.early_stopping_epochs and not self.evaluate_every:
            raise UserError("early_stopping_epochs needs evaluate_every above 0.")
        for field in dataclasses.fields(self):
            of_another = self.recipe != _RECIPE_OF.get(field.name, self.recipe)
            if of_another and getattr(self, field.name) != field.default:
                raise UserError(
                    f"{field.name} is a setting of recipe {_RECIPE_OF[field.name]}, and this run "
                    f"is {self.recipe}; leave it out, or choose the other recipe."
                )
        for name in ("momentum", "ema"):
            if getattr(self, name) >= 1:
                raise UserError(f"{name} must be below 1, not {getattr(self, name)}.")


def read_config(arguments=None):
    """Reads a `TrainConfig` from flags, over a YAML file given by `--config`, over defaults.

    Args:
        arguments: list of str. Defaults to the process' own.

    Returns:
        A `TrainConfig`.

    Raises:
        UserError: for a flag, a key or a value that does not fit.
        SystemExit: after `--help`.
    """
    try:
        return _as_config(_parser().parse_args(arguments))
    except jsonargparse.ArgumentError as error:
        line = " ".join(str(error).split())
        raise UserError(f"{line}. --help explains every flag.") from error


def load_config(text):
    """The `TrainConfig` of a YAML text, such as `dump_config` writes.

    Raises:
        UserError: if a key or a value does not fit.
    """
    try:
        return _as_config(_parser().parse_string(text))
    except jsonargparse.ArgumentError as error:
        raise UserError(" ".join(str(error).split())) from error


def dump_config(config):
    """A `TrainConfig` as YAML, every setting resolved."""
    return _parser().dump(jsonargparse.Namespace(dataclasses.asdict(config)), skip_none=False)


def _as_config(values):
    settings = values.as_dict()
    settings.pop("config", None)
    # The parser's floats are of types of its own, which Keras does not take for numbers.
    plain = {n: float(v) if isinstance(v, float) else v for n, v in settings.items()}
    return TrainConfig(**plain)


def _parser():
    documented = docstring_parser.parse(TrainConfig.__doc__).params
    descriptions = {entry.arg_name: " ".join(entry.description.split()) for entry in documented}
    defaults = dataclasses.asdict(TrainConfig())
    parser = jsonargparse.ArgumentParser(
        prog="python -m nfl_keras.train",
        description="Trains and evaluates an embedder, and writes a run folder with a report. "
        "--resume RUN alone goes on with a run that was stopped, by the settings in its folder.",
        exit_on_error=False,
    )
    parser.add_argument("--config", action="config", help="YAML file with any of these settings.")
    for field in dataclasses.fields(TrainConfig):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=field.type,
            default=defaults[field.name],
            help=descriptions[field.name],
        )
    return parser
