"""Settings of where and how a run computes, and of what it leaves behind."""

import dataclasses
from typing import Literal

from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Settings of where and how a run computes, and of what it leaves behind.

    Args:
        strategy: Devices to train on: "one"; "mirrored", all GPUs of this machine, or all logical
            CPUs without a GPU; "multi-worker", the machines that the environment variable TF_CONFIG
            names, each of which runs this command; "auto", which is multi-worker if TF_CONFIG names
            several machines, and else all GPUs. The devices share one batch.
        precision: Arithmetic of the network. Weights and losses stay in float32. mixed_float16
            scales the loss by itself.
        jit_compile: Compile the training step with XLA. Defaults to Keras' choice: yes on one GPU,
            no on CPUs, where XLA is slower.
        chunk_size: Images, of all views, that go through the network at once in training. The
            gradient stays that of the whole batch, but takes the memory of one chunk, and one more
            forward pass. BatchNormalization of the backbone takes its statistics over a chunk,
            unless it is frozen. 0 sends the whole batch at once.
        seed: Seed of weights, batches, views and noise. A seed gives the same batches on any
            machine, and the same views, noise and first weights with the same versions. Training
            repeats itself up to rounding, and bit for bit with deterministic.
        deterministic: Use deterministic operations alone. The run then repeats itself bit for bit
            on the same machine, also after it was stopped and resumed. This is slower, mostly on
            GPUs.
        checkpoint_every: Steps between checkpoints within an epoch. Each epoch ends with a
            checkpoint, and 0 keeps these alone.
        run_dir: Folder for the results of the run; it must be new or empty. Defaults to
            runs/DATASET-TIME.
    """

    strategy: Literal["auto", "one", "mirrored", "multi-worker"] = "auto"
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: bool | None = None
    chunk_size: int = 0
    seed: int = 0
    deterministic: bool = False
    checkpoint_every: int = 200
    run_dir: str | None = None

    def __post_init__(self) -> None:
        check_at_least(self, 0, "chunk_size", "seed", "checkpoint_every")
