"""The page in a browser: a photograph is searched for, and an answer searched from."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import threading
import time
import urllib.request

import pytest

from nfl_keras.errors import UserError
from nfl_keras.web import PageServer

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
# What has a role of an input, and its label as a screen reader says it.
UNLABELED = """
const named = (e) => (e.getAttribute("aria-label") || e.title || e.innerText || e.alt
  || [...(e.labels || [])].map((label) => label.innerText).join(" ")
  || [...e.querySelectorAll("img")].map((image) => image.alt).join(" ")).trim();
return [...document.querySelectorAll("input, textarea, select, button, a")]
  .filter((e) => e.offsetParent !== null && !named(e)).map((e) => e.outerHTML.slice(0, 200));
"""


@pytest.fixture(scope="module")
def address(gallery):
    with PageServer(gallery, port=0) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        yield server.address
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser():
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium or chromedriver is not installed (apt-get install chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, address):
    """The page at phone width, once it is drawn."""
    width = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", width)
    browser.get(address)
    wait(lambda: browser.find_elements("css selector", "#photograph input[type=file]"))
    return browser


def wait(condition, seconds=30):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "the page does not answer"
        time.sleep(0.05)
    return found


def test_a_visitor_searches_for_a_photograph_and_from_an_answer(page, uploads, gallery, address):
    def find(selector):
        return page.find_elements("css selector", selector)

    def status():
        return "".join(element.text for element in find("#status [role=status]"))

    def ids():
        with contextlib.suppress(Exception):  # An element may be replaced while it is read.
            return [e.get_attribute("data-id") for e in find("#answers [data-do=pick]")]

    assert page.execute_script("return document.documentElement.lang") == "en"
    assert page.title == "Search"
    assert [e.text for e in find("h1, h2")] == ["Search", "Photograph", "Answers"]
    find("#photograph input[type=file]")[0].send_keys(str(uploads / "rose.png"))
    expected = [match.id for match in gallery.search(uploads / "rose.png")[0]]
    wait(lambda: ids() == expected)
    wait(lambda: "10 answers. Searched 12 in" in status())

    find("button.label-wrap")[0].click()
    wait(lambda: find("#crop img"))
    assert page.execute_script(UNLABELED) == []
    assert all(image.get_attribute("alt") for image in find("img"))
    assert find("button.label-wrap")[0].get_attribute("aria-expanded") == "true"
    assert page.execute_script("return document.documentElement.scrollWidth") == 400

    page.execute_script("document.querySelector('#answers [data-do=why]').click()")
    wait(lambda: len(find("#why img")) == 2)
    assert page.execute_script("return document.activeElement.innerText") == "Why answer 1?"

    picked = find("#answers [data-do=pick]")[2]
    page.execute_script("arguments[0].click()", picked)
    wait(lambda: ids() == [match.id for match in gallery.search(positive=[expected[2]])[0]])
    assert page.execute_script("return document.activeElement.innerText") == "Answers"
    assert find("#why img") == []

    find("#where textarea")[0].send_keys("label = iris\nnonsense")
    find("#search")[0].click()
    wait(lambda: "The condition 'nonsense' cannot be understood" in status())

    (uploads / "text.jpg").write_text("This is no photograph.")
    find("[aria-label='Remove Image']")[0].click()
    field = wait(lambda: find("#photograph input[type=file]"))[0]
    find("#where textarea")[0].clear()
    field.send_keys(str(uploads / "text.jpg"))
    wait(lambda: status() == "This photograph cannot be used: not an image.")

    severe = [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []
    asked = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in asked if m["method"].endswith("BeSent")]
    assert len(urls) > 10
    assert [u for u in urls if not u.startswith((address, "data:", "blob:"))] == []


def test_a_signal_ends_the_server_alone_and_the_photographs_are_deleted(gallery):
    with PageServer(gallery, port=0) as server:
        folder = pathlib.Path(os.environ["GRADIO_TEMP_DIR"])
        assert folder.is_dir()

        def end():
            with urllib.request.urlopen(server.address) as answer:
                assert b"gradio_config" in answer.read()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=end).start()
        server.run()
    assert not folder.exists()


def test_an_address_that_is_taken_is_said_in_one_line(gallery, address):
    port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(UserError, match=rf"cannot listen on 127.0.0.1:{port} \(Address already in"):
        PageServer(gallery, port=port)
    with pytest.raises(UserError, match=r"cannot listen on no\.such\.host\.invalid:0 \("):
        PageServer(gallery, "no.such.host.invalid", 0)
    with pytest.raises(UserError, match="the port must be 0 to 65535, not 65536"):
        PageServer(gallery, port=65536)


def test_the_extra_is_named_where_gradio_is_missing(gallery, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    for name in ("mounted", "page", "layout"):
        monkeypatch.delitem(sys.modules, f"nfl_keras.web.{name}", raising=False)
    with pytest.raises(UserError, match=r'needs gradio; install it by .*nfl_keras\[web\]"'):
        PageServer(gallery, port=0)
