"""Settings of the run itself: where and how it computes, and what it leaves behind."""

import dataclasses
from typing import Literal

from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Settings of the run itself: where and how it computes, and what it leaves behind.

    Args:
        strategy: What to train on: "one" device; "mirrored", all GPUs of this machine (or all
            logical CPUs, where it has no GPU); "multi-worker", the machines that the environment
            variable TF_CONFIG names, on each of which the same command runs; "auto", the last if
            TF_CONFIG names several, else all GPUs. The batch is that of all of them together.
        precision: Arithmetic of the network; weights and losses are always float32. Under
            mixed_float16 the loss is scaled, by itself.
        jit_compile: Compile the step with XLA. Defaults to Keras' choice: on one GPU, not on CPUs,
            where it is slower.
        seed: Seed of weights, batches, views and noise. Which photographs make a batch follows
            from it on any machine; views, noise and first weights with the same versions. What
            training makes of them repeats to rounding, bit for bit if deterministic.
        deterministic: Use deterministic operations alone, so that a run repeats itself, and goes
            on after a stop, bit for bit on the same machine. Slower, on a GPU above all.
        checkpoint_every: Steps between checkpoints to resume from within an epoch; every epoch
            ends with one. 0 for these alone.
        run_dir: Folder for the run's results, new or empty. Defaults to runs/DATASET-TIME.
    """

    strategy: Literal["auto", "one", "mirrored", "multi-worker"] = "auto"
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: bool | None = None
    seed: int = 0
    deterministic: bool = False
    checkpoint_every: int = 200
    run_dir: str | None = None

    def __post_init__(self) -> None:
        check_at_least(self, 0, "seed", "checkpoint_every")
