"""The network and recipe that the benchmarks of a step run in Keras and in PyTorch."""

import re

import numpy as np

CLASSES = 98  # as in zero-shot training on Cars-196
IMAGES_PER_CLASS = 4
EMBEDDING_DIM = 512
NOISE = 25.5  # 0.1 of the pixel range
TEMPERATURE = 0.1
LABEL_SMOOTHING = 0.1
RATE = 1e-3
# The learning rate of the check: large enough to change the loss, too small to amplify rounding.
CHECKED_RATE = {18: 1e-6, 50: 3e-8}
BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


def batch(size, image_size):
    """Returns clean images `[B, H, W, 3]`, float32 in 0..255, and their labels, int64 `[B]`."""
    images = np.random.default_rng(0).uniform(0, 255, (size, image_size, image_size, 3))
    return images.astype("float32"), np.arange(size) // IMAGES_PER_CLASS % CLASSES


def keras_embedder(depth, embedding_dim=EMBEDDING_DIM):
    """Returns an embedder on KerasHub's ResNet, with random weights."""
    import keras_hub

    from nfl_keras.models import Embedder

    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=list(BLOCKS[depth]),
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block" if depth == 18 else "bottleneck_block",
    )
    return Embedder(backbone, embedding_dim, pixel_scale=1 / 127.5, pixel_offset=-1.0)


def keras_model(depth, noise=True):
    """Returns a compiled `nfl.models.NoiseInvariantModel`."""
    import keras

    from nfl_keras.models import NoiseInvariantModel

    model = NoiseInvariantModel(
        keras_embedder(depth),
        CLASSES,
        temperature=TEMPERATURE,
        noise_stddev=NOISE / 255 if noise else 0.0,
        label_smoothing=LABEL_SMOOTHING,
        seed=0,
    )
    if not noise:
        model.classifier.noise.scale = 0.0
    model.compile(keras.optimizers.AdamW(RATE))
    return model


def keras_classifier(depth):
    """Returns the same network with plain cross-entropy: a `Learner` of one view and one term."""
    import keras

    from nfl_keras.models import Learner, Term

    embedder = keras_embedder(depth, embedding_dim=None)
    classifier = keras.layers.Dense(CLASSES, dtype="float32")
    classifier.build((None, embedder.feature_dim))

    def cross_entropies(outputs):
        logits = classifier(outputs.features["clean"])
        return keras.losses.sparse_categorical_crossentropy(
            outputs.labels, logits, from_logits=True
        )

    learner = Learner(embedder, [Term("cross-entropy", 1.0, cross_entropies)])
    learner.classifier = classifier
    learner.compile(keras.optimizers.AdamW(RATE))
    return learner


def torch_model(depth, noise=True):
    """Returns a `torch.nn.Module` from clean images `[B, 3, H, W]` and labels to the loss."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Block(nn.ModuleDict):
        """A basic block, or a bottleneck with the stride in its 3 x 3 convolution."""

        def __init__(self, channels, width, stride):
            super().__init__()
            if depth == 18:
                self._add(1, channels, width, 3, stride)
                self._add(2, width, width, 3, 1)
            else:
                self._add(1, channels, width, 1, 1)
                self._add(2, width, width, 3, stride)
                self._add(3, width, 4 * width, 1, 1)
            self.layers = len(self) // 2
            self.channels = width if depth == 18 else 4 * width
            if stride > 1 or channels != self.channels:
                self._add(0, channels, self.channels, 1, stride)

        def _add(self, number, channels, filters, kernel, stride):
            convolution = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)
            self[f"{number}_conv"] = convolution
            self[f"{number}_bn"] = nn.BatchNorm2d(filters)

        def forward(self, x):
            shortcut = self["0_bn"](self["0_conv"](x)) if "0_conv" in self else x
            for number in range(1, self.layers):
                x = self[f"{number}_bn"](self[f"{number}_conv"](x))
                x = functional.relu(x, inplace=True)
            x = self[f"{self.layers}_bn"](self[f"{self.layers}_conv"](x))
            return functional.relu(x.add_(shortcut), inplace=True)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential()
            self.backbone.conv1_conv = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
            self.backbone.conv1_bn = nn.BatchNorm2d(64)
            self.backbone.conv1_relu = nn.ReLU(inplace=True)
            self.backbone.pool1_pool = nn.MaxPool2d(3, 2, 1)
            channels = 64
            for stack, blocks in enumerate(BLOCKS[depth]):
                for number in range(blocks):
                    stride = 2 if stack and not number else 1
                    block = Block(channels, 64 << stack, stride)
                    self.backbone.add_module(f"stack{stack}_block{number}", block)
                    channels = block.channels
            self.projection = nn.Linear(channels, EMBEDDING_DIM)
            self.classifier = nn.Linear(channels, CLASSES)

        def forward(self, images, labels):
            noisy = images + NOISE * torch.randn_like(images) if noise else images
            both = torch.cat([images, noisy])
            features = self.backbone(both / 127.5 - 1).mean((2, 3))
            logits = self.classifier(self.feature_noise(features[: len(images)]))
            projected = self.projection(features)
            with torch.autocast(images.device.type, enabled=False):
                f, noisy_f = functional.normalize(projected.float()).chunk(2)
                return self.losses(f, noisy_f, logits.float(), labels)

        def feature_noise(self, features):
            features = functional.layer_norm(features, features.shape[1:], eps=1e-3)
            if noise:
                features = features + functional.normalize(torch.randn_like(features))
            return features

        def losses(self, f, noisy_f, logits, labels):
            similarity = f @ f.T / TEMPERATURE
            same_class = labels[:, None] == labels
            against = similarity.masked_fill(same_class, -torch.inf).logsumexp(1, keepdim=True)
            positives = same_class & ~torch.eye(len(f), dtype=torch.bool, device=f.device)
            of_pairs = functional.softplus(against - similarity) * positives
            class_discrimination = (of_pairs.sum(1) / positives.sum(1)).mean()
            targets = torch.arange(len(f), device=f.device)
            noise_invariance = functional.cross_entropy(noisy_f @ f.T / TEMPERATURE, targets)
            # PyTorch's label smoothing spreads over all classes, ours over the wrong ones.
            smoothing = LABEL_SMOOTHING * CLASSES / (CLASSES - 1)
            noisy_classification = functional.cross_entropy(
                logits, labels, label_smoothing=smoothing
            )
            return class_discrimination + noise_invariance + noisy_classification

    return Model().to(memory_format=torch.channels_last)


def torch_optimizer(parameters):
    """Returns PyTorch's AdamW with the defaults of `keras.optimizers.AdamW`."""
    import torch

    return torch.optim.AdamW(parameters, RATE, eps=1e-7, weight_decay=0.004, fused=True)


def copy_weights(keras_model, torch_model):
    """Copies the weights of the Keras side to the PyTorch side."""
    import torch

    layers = {f"backbone.{layer.name}": layer for layer in keras_model.embedder.backbone.layers}
    layers["projection"] = keras_model.embedder.get_layer("projection")
    layers["classifier"] = keras_model.classifier
    for name, layer in layers.items():
        if not layer.weights:
            continue
        module = torch_model.get_submodule(re.sub(r"(block\d+)_", r"\1.", name))
        kernel, *others = (torch.from_numpy(np.array(weight)) for weight in layer.get_weights())
        kernel = kernel.permute(*reversed(range(kernel.ndim))) if kernel.ndim < 4 else kernel
        kernel = kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel
        tensors = [t for n, t in module.state_dict().items() if n != "num_batches_tracked"]
        for tensor, value in zip(tensors, [kernel, *others], strict=True):
            tensor.copy_(value)


def check(depth, image_size=64, size=8, steps=3):
    """Checks that both sides have the same losses over some steps, in float32 without noise.

    Raises:
        SystemExit: if they differ by more than a thousandth.
    """
    import keras
    import torch

    images, labels = batch(size, image_size)
    model, peer = keras_model(depth, noise=False), torch_model(depth, noise=False)
    copy_weights(model, peer)
    model.compile(keras.optimizers.SGD(CHECKED_RATE[depth]))
    optimizer = torch.optim.SGD(peer.parameters(), CHECKED_RATE[depth])
    for number in range(steps):
        ours = float(model.train_on_batch(images, labels, return_dict=True)["loss"])
        loss = peer(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"step {number}: a loss of {ours:.6f} in ours, {loss.item():.6f} in torch")
        if not abs(ours - loss.item()) <= 1e-3 * abs(ours):
            raise SystemExit("the two sides do not compute the same.")
