"""What every request passes and every answer carries: a bounded body, a name of this machine, and strict headers.

The server speaks to browsers on the same machine only. A page from elsewhere could still make such a browser send
requests here, so the host that a request names must be this machine's, and a request that changes something must come
from our own page.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_BODY_BYTES", "Guards"]

#: The largest question is a what-if with a few hundred names.
MAX_BODY_BYTES = 256_000

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})

# WebGL workers come from our own files; the map draws pictures that it made itself (data:, blob:).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Guards:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what must not pass, hand on the rest."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            await send(message)

        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "").rsplit(":", 1)[0] if "]" not in headers.get(b"host", "") else "[::1]"
        if host not in HOSTS:
            await _refuse(told, 403, "host", f"this server answers to {', '.join(sorted(HOSTS))} only")
            return
        origin = headers.get(b"origin")
        ours = origin is None or urlsplit(origin).netloc == headers.get(b"host")
        if scope["method"] not in ("GET", "HEAD") and not ours:
            await _refuse(told, 403, "origin", "only the map's own page may change something here")
            return
        try:
            length = int(headers.get(b"content-length", "0"))
        except ValueError:
            length = MAX_BODY_BYTES + 1
        if length > MAX_BODY_BYTES:
            await _refuse(told, 413, "size", _too_large(f"{length:,} bytes"))
            return
        body = await _whole(receive)
        if body is None:
            await _refuse(told, 413, "size", _too_large("more"))
            return
        unread = True

        async def again() -> Message:
            nonlocal unread
            if unread:
                unread = False
                return {"type": "http.request", "body": body, "more_body": False}
            return await receive()

        await self.app(scope, again, told)


def _too_large(got: str) -> str:
    return f"wanted a body of at most {MAX_BODY_BYTES:,} bytes, got {got}"


async def _whole(receive: Receive) -> bytes | None:
    """The body, or None where it grows too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _refuse(send: Any, status: int, kind: str, message: str) -> None:
    body = json.dumps({"kind": kind, "message": message, "faults": []}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
