"""Defines light adaptation of a backbone by low-rank updates of its kernels."""

import contextlib
from collections.abc import Iterator

import keras

from nfl_keras.errors import UserError

# What makes queries and values in the attention of KerasHub's backbones.
_ATTENTION = ("query", "value", "query_dense", "value_dense", "q_proj", "v_proj", "attention_qkv")
_ABLE = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
)


def enable_lora(backbone: keras.Model, rank: int) -> list[str]:
    """Lets a backbone learn by updates of a low rank alone.

    A kernel W becomes W + A B, of which A and B learn. B begins with zeros, so that the backbone
    computes what it did before. Layers that are frozen stay so. Of the others, the layers that
    make queries and values take the updates if there is attention, and else every convolution and
    dense layer that can; their biases learn, too, and all other layers are frozen. Call it before
    `compile()`.

    Args:
        backbone: built `keras.Model`.
        rank: int, at least 1.

    Returns:
        List of str, names of the layers that take the updates.

    Raises:
        UserError: if no layer takes them, or the rank is below 1.

    Example:

    >>> pixels = keras.Input((8, 8, 3))
    >>> backbone = keras.Model(pixels, keras.layers.Conv2D(4, 3, name="first")(pixels))
    >>> nfl.models.enable_lora(backbone, rank=2)
    ['first']
    >>> [tuple(weight.shape) for weight in backbone.trainable_weights]
    [(4,), (3, 3, 3, 2), (2, 4)]

    Reference: E. Hu et al., LoRA: low-rank adaptation of large language models, ICLR 2022.
    """
    if rank < 1:
        raise UserError(f"the rank of low-rank updates must be at least 1, not {rank}.")
    parts = [part for part in backbone._flatten_layers(include_self=False) if part.weights]
    leaves = [part for part in parts if not any(part._flatten_layers(include_self=False))]
    learning = [leaf for leaf in leaves if leaf.trainable]
    able = [leaf for leaf in learning if isinstance(leaf, _ABLE)]
    chosen = [leaf for leaf in able if leaf.name in _ATTENTION] or able
    if not chosen:
        kinds = ", ".join(sorted({type(leaf).__name__ for leaf in learning})) or "none"
        raise UserError(
            f"no layer of the backbone takes lora: of those that are not frozen ({kinds}) none is "
            f"a Dense, EinsumDense or convolution; freeze fewer with freeze_through, or leave out "
            f"lora."
        )
    for part in parts:
        if part not in leaves:
            for weight in part._trainable_variables:
                weight.trainable = False
    for leaf in learning:
        leaf.trainable = leaf in chosen
    for leaf in chosen:
        leaf.enable_lora(rank)
    return [leaf.name for leaf in chosen]


def lora_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers of a model whose low-rank updates are not merged."""
    return [part for part in model._flatten_layers() if getattr(part, "lora_enabled", False)]


def merged_factors(model: keras.Model) -> list[keras.Variable]:
    """Returns the factors of low-rank updates that are merged, which nothing computes with."""
    return [
        factor
        for layer in model._flatten_layers()
        if not getattr(layer, "lora_enabled", True)
        for factor in (
            getattr(layer, "lora_kernel_a", None),
            getattr(layer, "lora_kernel_b", None),
        )
        if factor is not None
    ]


@contextlib.contextmanager
def merged_lora(model: keras.Model) -> Iterator[None]:
    """Returns a context within which low-rank updates are part of the kernels.

    Within it the model computes the same, and a kernel's value is W + A B. Mix, save or export it
    there. After the context the model is bit for bit what it was.

    Args:
        model: `keras.Model`, with or without `enable_lora`.

    Example:

    >>> layer = keras.layers.Dense(1, use_bias=False)
    >>> model = keras.Sequential([keras.Input((1,)), layer])
    >>> layer.enable_lora(1)
    >>> model.set_weights([np.array([[2.0]]), np.array([[3.0]]), np.array([[4.0]])])
    >>> with nfl.models.merged_lora(model):
    ...     model.get_weights()[0].item()
    14.0
    """
    layers = lora_layers(model)
    kernels = [keras.ops.convert_to_numpy(layer._kernel) for layer in layers]
    for layer in layers:
        layer._kernel.assign(layer.kernel)
        layer.lora_enabled = False
    try:
        yield
    finally:
        for layer, kernel in zip(layers, kernels, strict=True):
            layer._kernel.assign(kernel)
            layer.lora_enabled = True
