"""What replicas of one batch and workers of one run share."""

from nfl_keras.distribution.distributed_fit import DistributedFit

__all__ = ["DistributedFit"]
