"""What each kind of photograph needs while it is decoded, and where it is refused."""

import json
import sys

import pytest
from photograph_cases import JPEG, LOSSY, PICTURE, PROGRESSIVE, megapixels, saved, webp

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.photograph_error import TOO_COSTLY, TOO_LARGE, PhotographError

# What each kind takes at its peak, and whether it is refused where less is allowed.
MEASURED = """
import io, json, re
import numpy as np
from PIL import Image
from nfl_keras.data.decoding import photograph_error
from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.decoding.reader import decoded
from nfl_keras.data.tensorflow_on_cpu import tf

MEBIBYTE = 2**20
ROUNDED = 2 * MEBIBYTE  # Strips and the process itself take a share.
small = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
rgb = Image.fromarray(small).resize((1200, 1200), Image.Resampling.BILINEAR)
noise = Image.effect_noise(rgb.size, 99)
clear = rgb.copy()
clear.putalpha(noise)
deep = Image.fromarray(np.uint16(noise) * 257)
fast = {"method": 0, "quality": 0}
moving = {"save_all": True, "append_images": [rgb.rotate(90)]}
kinds = {
    "JPEG": (rgb, "JPEG", {}),
    "JPEG, CMYK": (rgb.convert("CMYK"), "JPEG", {}),
    "JPEG, progressive, 4:4:4": (rgb, "JPEG", {"progressive": True, "subsampling": 0}),
    "JPEG, progressive, 4:2:0": (rgb, "JPEG", {"progressive": True, "subsampling": 2}),
    "JPEG, progressive, CMYK": (rgb.convert("CMYK"), "JPEG", {"progressive": True}),
    "PNG": (rgb, "PNG", {"compress_level": 1}),
    "PNG, transparent": (clear, "PNG", {"compress_level": 1}),
    "PNG, 16 bits": (deep, "PNG", {"compress_level": 1}),
    "WebP": (rgb, "WEBP", fast),
    "WebP, transparent": (clear, "WEBP", {**fast, "method": 4}),
    "WebP, lossless": (rgb, "WEBP", {**fast, "lossless": True}),
    "WebP, lossless, transparent": (clear, "WEBP", {**fast, "lossless": True, "exact": True}),
    "WebP, moving": (rgb, "WEBP", {**fast, **moving}),
    "BMP": (rgb, "BMP", {}),
    "BMP, 32 bits": (clear, "BMP", {}),
    "BMP, a palette": (rgb.quantize(64, method=2), "BMP", {}),
    "GIF": (rgb.quantize(64, method=2), "GIF", {}),
    "TIFF": (rgb, "TIFF", {}),
    "TIFF, gray": (noise, "TIFF", {}),
    "TIFF, gray, 16 bits": (deep, "TIFF", {}),
    "TIFF, turned": (rgb, "TIFF", {"tiffinfo": {274: 6}}),
    "TIFF, CMYK": (rgb.convert("CMYK"), "TIFF", {"compression": "tiff_lzw"}),
    "TIFF, one strip": (rgb, "TIFF", {"compression": "tiff_lzw", "strip_size": 2**30}),
    "TIFF, JPEG": (rgb, "TIFF", {"compression": "jpeg"}),
    "TIFF, one strip, JPEG": (rgb, "TIFF", {"compression": "jpeg", "strip_size": 2**30}),
}


def memory(what):
    found = re.search(what + r":\\s+(\\d+)", open("/proc/self/status").read())
    return int(found[1]) * 1024


def read(position):
    return checked_bytes(files[kind], "photograph")


graph = tf.function(decoded(read))
position = tf.constant(0, tf.int64)


def saved(image, file_format, options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


files = {kind: saved(*how) for kind, how in kinds.items()}
for kind in files:
    graph(position)
rows = {}
for kind, content in files.items():
    photograph_error.MAX_MEMORY = 2**40
    open("/proc/self/clear_refs", "w").write("5")
    before = memory("VmRSS")
    graph(position)
    beside = memory("VmHWM") - before - rgb.width * rgb.height * 3
    beside -= len(content) * (checked_bytes(content, "")[0] is content)
    photograph_error.MAX_MEMORY = max(beside - ROUNDED, 0)
    try:
        read(position)
        refused = False
    except PhotographError:
        refused = True
    rows[kind] = beside / MEBIBYTE, refused
print(json.dumps(rows))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_no_kind_takes_more_than_it_is_refused_for(in_a_fresh_process, monkeypatch):
    # What is freed is given back, and oneDNN, which has a pool of its own, is not used.
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    rows = json.loads(in_a_fresh_process(MEASURED).splitlines()[-1])
    assert len(rows) == 25
    for kind, (mebibytes, refused) in rows.items():
        assert refused or mebibytes < 2, (kind, mebibytes)
    costly = {kind for kind, (mebibytes, _) in rows.items() if mebibytes > 3}
    assert {"JPEG, progressive, 4:2:0", "WebP, lossless", "TIFF"} <= costly


@pytest.mark.parametrize(
    ("content", "most", "reason"),
    [
        pytest.param(JPEG, 100, TOO_LARGE, id="JPEG"),
        pytest.param(saved(PICTURE, "JPEG", progressive=True), 33, TOO_COSTLY, id="4:2:0"),
        pytest.param(PROGRESSIVE, 16, TOO_COSTLY, id="4:4:4"),
        pytest.param(webp(0), 20, TOO_COSTLY, id="lossless WebP"),
        pytest.param(LOSSY, 16, TOO_COSTLY, id="transparent WebP"),
    ],
)
def test_as_many_megapixels_are_decoded(content, most, reason):
    accepted = megapixels(most, content)
    assert checked_bytes(accepted, "a")[0] is accepted
    with pytest.raises(PhotographError) as refused:
        checked_bytes(megapixels(most + 1, content), "a")
    assert refused.value.reason == reason
