"""Defines what `losses.py` compares: the losses, their peers, and the batches that both get.

A side is a function from a batch size to a function that computes the loss and its gradients once.
"""

import numpy as np

WIDTH = 512
IMAGES_PER_CLASS = 4
CLASSES = 100
PROXIES_PER_CLASS = 10
SMOOTHING = 0.1


def _batch(batch_size, names):
    """Returns the labels, and the arrays with these names, by which there are gradients."""
    shapes = {
        "embeddings": (batch_size, WIDTH),
        "views": (batch_size, WIDTH),
        "logits": (batch_size, CLASSES),
        "proxies": (CLASSES, WIDTH),
        "several": (CLASSES, PROXIES_PER_CLASS, WIDTH),
    }
    random = np.random.default_rng(0)
    arrays = [random.normal(size=shapes[name]).astype("float32") for name in names]
    arrays = [array / np.linalg.norm(array, axis=-1, keepdims=True) for array in arrays]
    return np.arange(batch_size) // IMAGES_PER_CLASS, arrays


def _traced(step, batch_size, names):
    import tensorflow as tf

    labels, arrays = _batch(batch_size, names)
    arguments = [tf.constant(array) for array in (labels, *arrays)]
    traced = tf.function(step).get_concrete_function(*arguments)
    return lambda: [result.numpy() for result in traced(*arguments)]


def _ours(make, *names):
    """Makes a side of a function from `nfl.losses` to a function of labels and arrays."""
    names = names or ("embeddings",)

    def prepare(batch_size):
        import tensorflow as tf

        import nfl_keras as nfl

        compute = make(nfl.losses)

        def step(labels, *arrays):
            with tf.GradientTape() as tape:
                tape.watch(arrays)
                value = tf.reduce_mean(compute(labels, *arrays))
            return value, *tape.gradient(value, arrays)

        return _traced(step, batch_size, names)

    return prepare


def _products(batch_size):
    import tensorflow as tf

    def step(_, embeddings):
        similarity = tf.matmul(embeddings, embeddings, transpose_b=True)
        return (
            tf.matmul(similarity, embeddings),
            tf.matmul(similarity, embeddings, transpose_a=True),
        )

    return _traced(step, batch_size, ("embeddings",))


def _of_embeddings(loss, labels, embeddings):
    return loss(embeddings, labels)


def _of_classes(loss, labels, vectors):
    return loss(vectors, labels % CLASSES)


def _peer(make, compute=_of_embeddings, *names):
    """Makes a side of a function from pytorch_metric_learning to a module, which may have proxies.

    `compute` is a function from the module, labels and arrays to the loss.
    """

    def prepare(batch_size):
        import pytorch_metric_learning.losses
        import pytorch_metric_learning.miners
        import pytorch_metric_learning.regularizers
        import torch

        labels, arrays = _batch(batch_size, names or ("embeddings",))
        labels = torch.from_numpy(labels)
        inputs = [torch.from_numpy(array).requires_grad_() for array in arrays]
        loss = make(pytorch_metric_learning)

        def call():
            for tensor in (*inputs, *loss.parameters()):
                tensor.grad = None
            compute(loss, labels, *inputs).backward()

        return call

    return prepare


def _by_pairs(ours, peer, arguments=(), miner=None, of_miner=(), **settings):
    """Makes both sides of a pair-based loss, of whose pairs the peer's miner may choose some."""

    def make(pml):
        loss = getattr(pml.losses, peer)(*arguments)
        loss.miner = getattr(pml.miners, miner)(*of_miner) if miner else lambda f, labels: None
        return loss

    def compute(loss, labels, f):
        return loss(f, labels, loss.miner(f, labels))

    side = _ours(lambda losses: getattr(losses, ours)(**settings))
    return {"ours": side, peer: _peer(make, compute)}


def _by_proxies(ours, peer, make, proxies="proxies"):
    """Makes both sides of a loss with proxies, which may have any length."""

    def of_unit_proxies(losses):
        from keras import ops

        def compute(labels, f, proxies):
            return getattr(losses, ours)(f, labels % CLASSES, ops.normalize(proxies, axis=-1))

        return compute

    side = _ours(of_unit_proxies, "embeddings", proxies)
    return {"ours": side, peer: _peer(make, _of_classes)}


def _noise_invariance_of_peer(loss, _, embeddings, views):
    import torch

    each = torch.arange(len(embeddings))
    # The same object would mean the same images, and none would be its own positive.
    return loss(views, each, ref_emb=embeddings, ref_labels=each.clone())


def _intra_class_diversity_of_peer(loss, labels, embeddings, views):
    """Gives the peer the pairs: each image's view, and the other images of its class."""
    import torch

    anchors = torch.arange(len(labels))
    first, second = torch.where((labels[:, None] == labels) & ~torch.eye(len(labels)).bool())
    pairs = (anchors, anchors + len(labels), first, second)
    return loss(embeddings, labels, pairs, torch.cat([embeddings, views]), labels.repeat(2))


def _cross_entropy(_):
    """Makes PyTorch's loss, which spreads the smoothing over all classes, the true one included."""
    import torch

    return torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING * CLASSES / (CLASSES - 1))


def _soft_triple(pml):
    regularizer = pml.regularizers.SparseCentersRegularizer(CLASSES, PROXIES_PER_CLASS)
    settings = {"weight_regularizer": regularizer, "weight_reg_weight": 0.2}
    return pml.losses.SoftTripleLoss(CLASSES, WIDTH, PROXIES_PER_CLASS, **settings)


def _stop_gradient_softmax(losses):
    _, [proxies] = _batch(CLASSES, ["proxies"])
    return lambda labels, f: losses.stop_gradient_softmax(f, labels % CLASSES, proxies)


LOSSES = {
    "L_D": {
        "ours": _ours(lambda losses: losses.ClassDiscriminationLoss()),
        "products": _products,
        "SupConLoss": _peer(lambda pml: pml.losses.SupConLoss(0.1)),
        "NTXentLoss": _peer(lambda pml: pml.losses.NTXentLoss(0.1)),
    },
    "L_N": {
        "ours": _ours(
            lambda losses: lambda _, f, views: losses.noise_invariance(f, views),
            *("embeddings", "views"),
        ),
        "SupConLoss": _peer(
            lambda pml: pml.losses.SupConLoss(0.1),
            *(_noise_invariance_of_peer, "embeddings", "views"),
        ),
    },
    "L_S": {
        "ours": _ours(
            lambda losses: lambda labels, z: losses.noisy_classification(z, labels % CLASSES),
            "logits",
        ),
        "CrossEntropyLoss": _peer(_cross_entropy, _of_classes, "logits"),
    },
    "L_intra": {
        "ours": _ours(
            lambda losses: (
                lambda labels, f, views: losses.intra_class_diversity(f, views[None], labels)
            ),
            *("embeddings", "views"),
        ),
        "NTXentLoss": _peer(
            lambda pml: pml.losses.NTXentLoss(0.1),
            *(_intra_class_diversity_of_peer, "embeddings", "views"),
        ),
    },
    "contrastive": _by_pairs("ContrastiveLoss", "ContrastiveLoss", (0, 0.5)),
    "triplet, all": _by_pairs("TripletLoss", "TripletMarginLoss", (0.2,), mining="all"),
    "triplet, semi-hard": _by_pairs(
        *("TripletLoss", "TripletMarginLoss", (0.2,), "TripletMarginMiner", (0.2, "semihard")),
        mining="semi-hard",
    ),
    "triplet, hard": _by_pairs(
        "TripletLoss", "TripletMarginLoss", (0.2,), "BatchHardMiner", mining="hard"
    ),
    "lifted structure": _by_pairs("LiftedStructureLoss", "LiftedStructureLoss"),
    "N-pairs": _by_pairs("NPairsLoss", "NPairsLoss"),
    "EPSHN": _by_pairs("EPSHNLoss", "NTXentLoss", (0.1,), "BatchEasyHardMiner"),
    "Multi-Similarity": _by_pairs(
        "MultiSimilarityLoss", "MultiSimilarityLoss", miner="MultiSimilarityMiner"
    ),
    "SupCon": _by_pairs("SupervisedContrastiveLoss", "SupConLoss"),
    "recall@k": {"ours": _ours(lambda losses: losses.RecallAtKSurrogateLoss())},
    "NormSoftmax": _by_proxies(
        *("norm_softmax", "NormalizedSoftmaxLoss"),
        lambda pml: pml.losses.NormalizedSoftmaxLoss(CLASSES, WIDTH),
    ),
    "Proxy-Anchor": _by_proxies(
        *("proxy_anchor", "ProxyAnchorLoss"),
        lambda pml: pml.losses.ProxyAnchorLoss(CLASSES, WIDTH),
    ),
    "SoftTriple": _by_proxies("soft_triple", "SoftTripleLoss", _soft_triple, "several"),
    "SGSL": {"ours": _ours(_stop_gradient_softmax)},
    "anti-collapse": {
        "ours": _ours(lambda losses: lambda _, proxies: losses.anti_collapse(proxies), "proxies")
    },
}
