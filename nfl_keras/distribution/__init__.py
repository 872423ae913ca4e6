"""Training on several devices and machines: the part of it that lies below data and models."""

from nfl_keras.distribution.distributed_fit import DistributedFit

__all__ = ["DistributedFit"]
