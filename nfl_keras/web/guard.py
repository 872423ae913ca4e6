"""Defines what stands before the page: a password, and limits on what a stranger may send."""

import asyncio
import base64
import contextlib
import hmac
import json
import pathlib
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nfl_keras.web.asked import is_within
from nfl_keras.web.limits import MAX_REQUEST, MAX_UPLOADS, WRONG_PASSWORD_SECONDS

_API = "/gradio_api"
_FILE = f"{_API}/file="
_UPLOAD = f"{_API}/upload"
_JOIN = f"{_API}/queue/join"
# What the page itself uses of Gradio.
_PAGES = ("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt")
_FOLDERS = ("/assets/", "/static/", "/svelte/", f"{_API}/heartbeat/")
_CALLS = (_UPLOAD, _JOIN, *(f"{_API}/{n}" for n in ("queue/data", "upload_progress", "cancel")))
_HEADERS = {
    # Gradio builds functions from text, and styles elements one by one.
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' "
    "blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """An ASGI application that lets through to another what the page itself sends.

    Args:
        app: ASGI application, the page.
        uploads: `pathlib.Path`, the folder of the visitors' photographs.
        password: str, or `None`. The browser asks for it, and for a name, which may be any.
        hosts: set of str, the names that a browser may call the server by, or `None` for any. A
            page of another site that names itself after this machine is refused so.
    """

    def __init__(
        self, app: ASGIApp, uploads: pathlib.Path, password: str | None, hosts: set[str] | None
    ) -> None:
        self._app, self._uploads = app, uploads
        self._password, self._hosts = password, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection, as ASGI says."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = await self._refusal(Headers(scope=scope), scope["path"])
            if refusal is None and scope["path"] == _JOIN:
                receive, refusal = await _checked_request(receive)
            await (refusal or self._app)(scope, receive, _with_headers(send))

    async def _refusal(self, headers: Headers, path: str) -> PlainTextResponse | None:
        if self._hosts is not None and _name(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("This server is not called so.", 421)
        if self._password is not None and not self._is_right(headers.get("authorization", "")):
            if "authorization" in headers:
                await asyncio.sleep(WRONG_PASSWORD_SECONDS)
            asking = {"www-authenticate": 'Basic realm="search", charset="UTF-8"'}
            return PlainTextResponse("The page needs a password.", 401, asking)
        if path.startswith(_FILE):
            is_known = is_within(self._uploads, path.removeprefix(_FILE))
        else:
            is_known = path in _PAGES or path in _CALLS or path.startswith(_FOLDERS)
        if not is_known:
            return PlainTextResponse("There is no such page.", 404)
        if path == _UPLOAD and _bytes_in(self._uploads) > MAX_UPLOADS:
            return PlainTextResponse("Too many photographs were sent; try again later.", 503)
        return None

    def _is_right(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True).partition(b":")[2]
        except ValueError:
            return False
        expected = (self._password or "").encode()
        return scheme.lower() == "basic" and hmac.compare_digest(given, expected)


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


async def _checked_request(receive: Receive) -> tuple[Receive, PlainTextResponse | None]:
    """Reads a request for a callback, and refuses one that is long or names a file to fetch."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_REQUEST:
            return receive, PlainTextResponse("This request is too long.", 413)
        if not message.get("more_body"):
            break
    try:
        # Gradio would fetch what such an object names. The page sends none.
        names_a_file = "gradio.FileData" in json.dumps(json.loads(body))
    except (ValueError, RecursionError):
        names_a_file = True
    if names_a_file:
        return receive, PlainTextResponse("This request cannot be understood.", 400)
    is_read = False

    async def again() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again, None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending


def _bytes_in(folder: pathlib.Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # It was deleted meanwhile.
            total += path.lstat().st_size
    return total
