"""Losses of other papers between embeddings and proxies: trained vectors that stand for classes.

Each is a function alone. A `keras.losses.Loss` has no weights to train, so proxies belong to a
model, such as `nfl.models.ProxyModel`.
"""

from nfl_keras.losses.proxies.anti_collapse import anti_collapse
from nfl_keras.losses.proxies.norm_softmax import norm_softmax
from nfl_keras.losses.proxies.proxy_anchor import proxy_anchor
from nfl_keras.losses.proxies.soft_triple import soft_triple

__all__ = ["anti_collapse", "norm_softmax", "proxy_anchor", "soft_triple"]
