"""The names of an exported model's signatures, and how many crops those of images embed."""

EMBED_IMAGES = "serving_default"
EMBED_CENTER = "embed_center"
EMBED_TENSOR = "embed_tensor"
CROPS = {EMBED_IMAGES: 3, EMBED_CENTER: 1}
