"""What stands before the page lets through what the page sends, and nothing else."""

import base64
import json

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from nfl_keras.web import guard
from nfl_keras.web.guard import Guard

JOIN = "/gradio_api/queue/join"


async def echo(scope, receive, send):
    """An application that answers what it was sent."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await PlainTextResponse(f"through: {body.decode()}")(scope, receive, send)


@pytest.fixture
def client(uploads):
    def make(password=None, hosts=None):
        return TestClient(Guard(echo, uploads, password, hosts), base_url="http://localhost")

    return make


def basic(password, name="any"):
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "path", ["/", "/assets/index.js", "/theme.css", "/gradio_api/queue/data?session_hash=1"]
)
def test_what_the_page_uses_comes_through_with_safe_headers(client, path):
    answer = client().get(path)
    assert answer.text == "through: "
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/info",
        "/gradio_api/run/search",
        "/gradio_api/call/search",
        "/gradio_api/component_server",
        "/gradio_api/proxy=https://example.org/",
        "/gradio_api/file=https://example.org/a.png",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/vibe-code",
        "/monitoring",
        "/docs",
        "/assetsx",
    ],
)
def test_everything_else_is_refused(client, path):
    assert client().get(path).status_code == client().post(path).status_code == 404


def test_only_files_that_visitors_sent_are_served(client, uploads):
    there = client().get(f"/gradio_api/file={uploads}/rose.png")
    assert there.text == "through: "
    for path in (f"{uploads}/../catalog", f"{uploads}/%2e%2e/catalog", f"{uploads}x/rose.png"):
        assert client().get(f"/gradio_api/file={path}").status_code == 404


def test_a_request_comes_through_whole_unless_it_is_long_or_names_a_file(client):
    sent = json.dumps({"data": ["rose.png", "é" * 900], "fn_index": 1})
    assert client().post(JOIN, content=sent).text == f"through: {sent}"
    assert client().post(JOIN, content=b" " * (2**16 + 1)).status_code == 413
    fetched = {"path": "http://example.org/", "meta": {"_type": "gradio.FileData"}}
    for body in (
        json.dumps({"data": [fetched]}),
        json.dumps({"data": [fetched]}).replace("gradio", "\\u0067radio"),
        "no json",
        "[" * 60_000,
    ):
        answer = client().post(JOIN, content=body)
        assert (answer.status_code, answer.text) == (400, "This request cannot be understood.")


def test_a_password_guards_every_path(client, monkeypatch):
    monkeypatch.setattr(guard, "WRONG_PASSWORD_SECONDS", 0)
    page = client("pässword")
    for path in ("/", "/assets/index.js", "/gradio_api/upload", "/nothing"):
        answer = page.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
    assert page.get("/", headers=basic("pässword")).text == "through: "
    assert page.get("/", headers=basic("pässword", name="")).text == "through: "
    for wrong in (basic("password"), basic(""), {"authorization": "Basic é".encode()}):
        assert page.get("/", headers=wrong).status_code == 401
    bearer = {"authorization": basic("pässword")["authorization"].replace("Basic", "Bearer")}
    assert page.get("/", headers=bearer).status_code == 401


def test_a_page_that_calls_itself_otherwise_is_refused(client):
    page = client(hosts={"localhost", "::1"})
    assert page.get("/").text == page.get("/", headers={"host": "[::1]:7860"}).text == "through: "
    for host in ("example.org", "localhost.example.org:7860", "", "["):
        assert page.get("/", headers={"host": host}).status_code == 421


def test_uploads_end_where_too_many_are_kept(client, uploads, monkeypatch):
    assert client().post("/gradio_api/upload", content=b"x").text == "through: x"
    monkeypatch.setattr(guard, "MAX_UPLOADS", 100)
    answer = client().post("/gradio_api/upload", content=b"x")
    assert (answer.status_code, answer.text) == (
        503,
        "Too many photographs were sent; try again later.",
    )
