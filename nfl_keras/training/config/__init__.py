"""The settings of a run, and the command line and YAML they are read from."""

from nfl_keras.training.config.read_config import dump_config, load_config, read_config
from nfl_keras.training.config.train_config import TrainConfig

__all__ = ["TrainConfig", "dump_config", "load_config", "read_config"]
