"""Losses of other papers between embeddings and proxies: trained vectors that stand for classes.

Each is a function alone. A `keras.losses.Loss` has no weights to train, so proxies belong to a
model. `nfl.models.ProxyModel` has them, for any backbone. A Keras model of your own adds them as a
weight, and overrides `compute_loss`:

>>> class ByProxies(keras.Model):
...     def __init__(self, network, num_classes):
...         super().__init__()
...         self.network = network
...         width = network.output_shape[-1]
...         normal = keras.initializers.RandomNormal(stddev=width**-0.5)
...         self.proxies = self.add_weight(shape=(num_classes, width), initializer=normal)
...     def call(self, images):
...         return self.network(images)
...     def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
...         proxies = keras.ops.normalize(self.proxies, axis=-1)
...         return keras.ops.mean(nfl.losses.proxy_anchor(y_pred, y, proxies))
>>> layers = [keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.UnitNormalization()]
>>> model = ByProxies(keras.Sequential([keras.Input((8, 8, 3)), *layers]), num_classes=2)
>>> before = model.proxies.numpy()
>>> model.compile("adam")
>>> images, labels = np.random.rand(4, 8, 8, 3), np.array([0, 0, 1, 1])
>>> list(model.fit(images, labels, verbose=0).history)
['loss']
>>> bool(np.any(before != model.proxies.numpy()))
True
"""

from nfl_keras.losses.proxies.anti_collapse import anti_collapse
from nfl_keras.losses.proxies.norm_softmax import norm_softmax
from nfl_keras.losses.proxies.proxy_anchor import proxy_anchor
from nfl_keras.losses.proxies.soft_triple import soft_triple
from nfl_keras.losses.proxies.stop_gradient_softmax import stop_gradient_softmax

__all__ = [
    "anti_collapse",
    "norm_softmax",
    "proxy_anchor",
    "soft_triple",
    "stop_gradient_softmax",
]
