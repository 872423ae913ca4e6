"""Measures the page in a browser: from click to answer, and the words for odd photographs.

    pip install 'nfl_keras[web]' selenium    # and Debian's chromium and chromium-driver
    python benchmarks/web.py --data-dir FLOWERS17 --backbone PRESET --cases FOLDER

The gallery has every fourth photograph of Flowers-17, embedded by the frozen backbone, and random
unit vectors beside them, without a file, up to the number asked for. `nfl-keras search --web`
serves it in a process of its own, and headless Chromium on the same machine asks.

Time is measured in the browser, from the click until all photographs of the answer are decoded.
Odd photographs are the files of --cases, and some that this program makes: the words beside each
are those that the page shows.
"""

import argparse
import base64
import io
import multiprocessing
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

WIDTHS = (1200, 400)
PIXELS = {"pixel_scale": 1 / 128, "pixel_offset": -127 / 128}
# Clicks, and waits until all photographs of an answer are new and decoded.
CLICK = """
const [where, click, done] = arguments;
const region = document.querySelector(where);
region.querySelectorAll("img").forEach((image) => (image.dataset.old = "yes"));
const start = performance.now();
new MutationObserver(async (_, observer) => {
  const images = [...region.querySelectorAll("img")];
  if (!images.length || region.querySelector("[data-old]")) return;
  observer.disconnect();
  await Promise.all(images.map((image) => image.decode()));
  done(performance.now() - start);
}).observe(region, { subtree: true, childList: true, attributes: true });
document.querySelector(click).click();
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", required=True, help="folder of Flowers-17")
    parser.add_argument("--backbone", required=True, help="a preset, input (x - 127) / 128")
    parser.add_argument("--photographs", type=int, default=100_000)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--cases", type=pathlib.Path, help="folder of odd photographs")
    parser.add_argument("--screenshots", type=pathlib.Path, help="folder to write to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # In a process of its own, so that its memory is free while the page is measured.
        child = multiprocessing.get_context("spawn").Process(target=_prepare, args=(folder, given))
        child.start()
        child.join()
        command = ["nfl_keras", "search", "--web", "--gallery", str(folder / "gallery")]
        served = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        address = re.search(r"http://\S+", served.stdout.readline()).group()
        browser = _browser()
        try:
            _measure(browser, address, folder, given.runs)
            _try_odd(browser, address, _odd(folder, given.cases))
            if given.screenshots:
                _draw(browser, address, folder, given.screenshots)
        finally:
            browser.quit()
            served.terminate()
            served.wait()


def _prepare(folder, given):
    import numpy as np
    import pyarrow as pa

    import nfl_keras as nfl
    from nfl_keras.gallery.storage.open_store import open_store

    flowers = nfl.data.load("flowers17", given.data_dir, split="all")
    (folder / "photographs").mkdir()
    rows = ["path,label"]
    for position in range(0, len(flowers), 4):
        path = f"{position:04}.jpg"
        (folder / "photographs" / path).write_bytes(flowers.read(position))
        rows.append(f"{path},{flowers.class_names[flowers.labels[position]]}")
    (folder / "query.jpg").write_bytes(flowers.read(1))
    (folder / "photographs" / "catalog.csv").write_text("\n".join(rows))
    embedder = nfl.models.Embedder(given.backbone, None, image_size=given.image_size, **PIXELS)
    embedder.save(folder / "embedder.keras")
    gallery = nfl.Gallery.build(
        folder / "photographs" / "catalog.csv", folder / "embedder.keras", folder / "gallery"
    )
    gallery.calibrate(precision=0.8)
    store = open_store(folder / "gallery")
    real = store.read()
    more = given.photographs - len(real.items)
    vectors = np.empty((given.photographs, real.manifest.dimension), np.float32)
    vectors[: len(real.items)] = gallery.vectors(real.items["id"].to_pylist())
    rng = np.random.default_rng(0)
    for row in range(len(real.items), len(vectors)):
        vectors[row] = rng.standard_normal(vectors.shape[1], dtype=np.float32)
        vectors[row] /= np.linalg.norm(vectors[row])
    made = pa.table({"id": [f"made/{number:08}.jpg" for number in range(more)]})
    items = pa.concat_tables([real.items, made], promote_options="default")
    with store.locked():
        store.commit(real.manifest, items, real.left_out, vectors)


def _browser():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    browser.set_script_timeout(120)
    return browser


def _open(browser, address, width=1200):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(address)
    return _wait(browser, "#photograph input[type=file]")


def _wait(browser, selector, seconds=60):
    end = time.monotonic() + seconds
    while not (found := browser.find_elements("css selector", selector)):
        if time.monotonic() > end:
            raise SystemExit(f"the page shows no {selector}")
        time.sleep(0.05)
    return found[0]


def _measure(browser, address, folder, runs):
    _open(browser, address).send_keys(str(folder / "query.jpg"))
    _wait(browser, "#answers li")
    threshold = browser.find_element("css selector", "#threshold input, #threshold textarea")
    k = browser.find_element("css selector", "input[aria-label=Answers]")
    search, pick, why = "#search", "#answers [data-do=pick]", "#answers [data-do=why]"
    sides = {
        "Search, with a photograph": ("#answers", search, 10),
        "Search, with a photograph, 100 answers": ("#answers", search, 100),
        "Search from this": ("#answers", pick, 10),
        "Why?": ("#why", why, 10),
    }
    print("| click on | median, ms | least to most |\n|---|---|---|")
    for side, (region, click, count) in sides.items():
        k.clear()
        k.send_keys(str(count))
        times = []
        for run in range(runs):
            if click == search:
                # A page that would be the same is not drawn again.
                threshold.clear()
                threshold.send_keys(f"0.{500 + run}")
            elif click == pick:
                click = f"#answers li:nth-child({2 + run % 2}) [data-do=pick]"
            else:
                for button in browser.find_elements("css selector", "#why button"):
                    button.click()
                    time.sleep(0.3)
            time.sleep(0.5)
            times.append(browser.execute_async_script(CLICK, region, click))
        spread = f"{min(times):,.0f} to {max(times):,.0f}"
        print(f"| {side} | {statistics.median(times):,.0f} | {spread} |", flush=True)


def _odd(folder, cases):
    import numpy as np
    from PIL import Image

    made = folder / "odd"
    made.mkdir()
    photograph = (folder / "query.jpg").read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (5800, 5800, 3), np.uint8)
    Image.fromarray(noise).save(made / "of_100_mb.png", compress_level=0)
    Image.new("RGB", (12_000, 9_000)).save(made / "108_megapixels.png")
    (made / "text_renamed.jpg").write_text("This is no photograph.\n")
    (made / "empty.jpg").write_bytes(b"")
    (made / "truncated.jpg").write_bytes(photograph[: len(photograph) // 2])
    (made / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    gray = io.BytesIO()
    Image.fromarray(noise[:64, :64, 0].astype(np.int32)).save(gray, "TIFF")
    (made / "of_32_bits.tiff").write_bytes(gray.getvalue())
    known = [] if cases is None else sorted(p for p in cases.iterdir() if p.suffix != ".json")
    return [*sorted(made.iterdir()), *known]


def _try_odd(browser, address, files):
    print("\n| photograph | what the page says |\n|---|---|")
    for file in files:
        _open(browser, address).send_keys(str(file))
        end = time.monotonic() + 60
        said = ""
        while said in ("", "Choose a photograph.") and time.monotonic() < end:
            time.sleep(0.2)
            said = browser.execute_script(
                "return [...document.querySelectorAll('.toast-text, .toast-body, .upload-error')]"
                ".map((e) => e.innerText).join(' ')"
                "|| document.querySelector('#status .said').innerText"
            )
        print(f"| `{file.name}` | {' '.join(said.split())} |", flush=True)


def _draw(browser, address, folder, to):
    to.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        _open(browser, address, width).send_keys(str(folder / "query.jpg"))
        _wait(browser, "#answers li")
        time.sleep(1)
        browser.execute_script("document.querySelector('#answers [data-do=why]').click()")
        _wait(browser, "#why img")
        time.sleep(1)
        height = browser.execute_script("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        asked = {"captureBeyondViewport": True, "clip": clip}
        drawn = browser.execute_cdp_cmd("Page.captureScreenshot", asked)
        (to / f"{width}.png").write_bytes(base64.b64decode(drawn["data"]))


if __name__ == "__main__":
    main()
