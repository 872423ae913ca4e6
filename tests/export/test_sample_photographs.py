import io

import pytest
from PIL import Image

from nfl_keras.data import check_images
from nfl_keras.export.verification import as_image_set, sample_photographs


@pytest.mark.parametrize("image_size", [1, 32])
def test_samples_are_photographs_of_several_shapes_and_formats(image_size):
    samples = sample_photographs(image_size)
    assert samples == sample_photographs(image_size)
    check_images(as_image_set(samples))
    opened = [Image.open(io.BytesIO(sample)) for sample in samples]
    assert {image.format for image in opened} == {"JPEG", "PNG", "WEBP"}
    if image_size == 32:
        assert any(image.width > image.height for image in opened)
        assert any(image.width < image.height for image in opened)
        assert any(min(image.size) < 32 for image in opened)
        assert any(min(image.size) > 2 * 32 for image in opened)
