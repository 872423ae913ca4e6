"""Every packaged config deals its batches, builds its network, and learns from one batch.

The networks have random weights and are those of the presets: KerasHub says how many parameters
these have. Images are small and batches short, since steps of whole ones take minutes. Steps run
eagerly, since tracing them is what takes long.
"""

import keras
import keras_hub
import numpy as np
import pytest

from nfl_keras.data import ImageSet
from nfl_keras.models import embedder as embedder_module
from nfl_keras.training.build_model import build_model, compile_model
from nfl_keras.training.build_sampler import build_sampler
from nfl_keras.training.config import read_config
from nfl_keras.training.config.packaged_configs import packaged_configs

RESNETS = {
    "resnet_18_imagenet": ("basic_block", [2, 2, 2, 2]),
    "resnet_50_imagenet": ("bottleneck_block", [3, 4, 6, 3]),
    "resnet_101_imagenet": ("bottleneck_block", [3, 4, 23, 3]),
}
# Classes that are trained on, in the part of Cars-196, too, and their photographs, least and most.
CLASSES = {
    "flowers17": (17, 40, 40),
    "cars196": (30, 24, 68),
    "cub200_2011": (100, 41, 60),
    "stanford_online_products": (11_318, 2, 12),
}
TERMS = {
    "noise-invariant": {"L_D", "L_N", "L_S"},
    "noise-assisted": {"L_inter", "L_intra", "L_pretext"},
}
# Of the papers: photographs in a batch, embedding dimensions, rate.
PRINTED = {
    "nifl_flowers17_r18": (64, 256, 0.0001),
    "nifl_cars196_fine_grained_r18": (64, 256, 0.0001),
    **dict.fromkeys(("nifl_cars196_r18", "nifl_cub200_r18", "nifl_sop_r18"), (240, 512, 0.002)),
    **dict.fromkeys(("nifl_cars196_r50", "nifl_cub200_r50", "nifl_sop_r50"), (144, 2048, 0.002)),
    **dict.fromkeys(("nifl_cars196_r101", "nifl_cub200_r101", "nifl_sop_r101"), (144, 2048, 0.002)),
    **dict.fromkeys(("nafl_cars196", "nafl_cub200"), (64, 1024, 0.0001)),
}


def architecture(preset):
    """A network of the preset's layers, with random weights."""
    if preset == "efficientnet_lite0_imagenet":
        return keras_hub.models.EfficientNetBackbone(
            stackwise_width_coefficients=[1.0] * 7,
            stackwise_depth_coefficients=[1.0] * 7,
            stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
            stackwise_num_repeats=[1, 2, 2, 3, 3, 4, 1],
            stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
            stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
            stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
            stackwise_squeeze_and_excite_ratios=[0] * 7,
            stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
            stackwise_block_types=["v1"] * 7,
            dropout=0,
            activation="relu6",
        )
    block_type, blocks = RESNETS[preset]
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=blocks,
        stackwise_num_strides=[1, 2, 2, 2],
        block_type=block_type,
    )


@pytest.mark.parametrize("preset", RESNETS)
def test_the_networks_are_those_of_the_presets(preset):
    stated = keras_hub.models.ResNetBackbone.presets[preset]["metadata"]["params"]
    assert architecture(preset).count_params() == stated


@pytest.mark.parametrize("name", packaged_configs())
def test_a_batch_is_as_large_as_the_config_says(name):
    config = read_config(["--config", name])
    classes, least, most = CLASSES[config.data.dataset]
    labels = np.repeat(np.arange(classes), np.linspace(least, most, classes).astype(int))
    ids = [str(position) for position in range(len(labels))]
    train = ImageSet(ids, labels, [str(c) for c in range(classes)], read=lambda i: b"")
    sampler = build_sampler(train, config)
    counts = [np.unique(labels[batch], return_counts=True)[1] for batch in sampler.epoch(0)]
    assert {count.sum() for count in counts} == {sampler.batch_size}
    if name in PRINTED:
        settings = (
            sampler.batch_size,
            config.embedder.embedding_dim,
            config.optimizer.learning_rate,
        )
        assert settings == PRINTED[name]
    for count in counts:
        assert len(count) >= config.data.classes_per_batch
        assert count.max() <= config.data.images_per_class


def test_every_config_of_a_paper_has_its_printed_settings():
    full = {name for name in packaged_configs() if name.startswith(("nafl", "nifl"))}
    assert full - {"nafl_flowers17", "nafl_cars196_part"} == set(PRINTED)


@pytest.mark.parametrize("name", packaged_configs())
def test_one_step_changes_what_the_config_does_not_freeze(name, monkeypatch):
    config = read_config(["--config", name])
    small = config.replace(image_size=32, warmup_epochs=0)

    def load(preset, image_size):
        assert (preset, image_size) == (config.embedder.backbone, 32)
        keras.utils.set_random_seed(0)
        return architecture(preset), 1 / 127.5, -1.0

    monkeypatch.setattr(embedder_module, "load_backbone", load)
    model = build_model(small, class_labels=[0, 1, 2])
    compile_model(model, small, batches_per_epoch=10)
    model.run_eagerly = True
    images = np.random.default_rng(0).uniform(0, 255, (6, 32, 32, 3)).astype("float32")
    kernels = [weight for weight in model.weights if weight.path.endswith("kernel")]
    before = [kernel.numpy() for kernel in kernels]
    logs = model.train_on_batch(images, np.repeat(np.arange(3, dtype="int32"), 2), return_dict=True)

    assert {term.name for term in model.terms} == TERMS[config.recipe.name]
    assert np.isfinite([logs[term] for term in ("loss", *TERMS[config.recipe.name])]).all()
    trainable = {id(weight) for weight in model.trainable_weights}
    learns = [id(kernel) in trainable for kernel in kernels]
    moved = [kernel.numpy() - old for kernel, old in zip(kernels, before, strict=True)]
    assert np.isfinite([np.abs(change).max() for change in moved]).all()
    assert [change.any() for change in moved] == learns
    assert all(learns) == (config.embedder.freeze_through is None)
