# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site as an ASGI application: Django's pages, a WebSocket at /ws and server-sent events at /events."""

import asyncio
import os
import pathlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.asgi_settings")
pages = get_asgi_application()
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_HOME = pathlib.Path(__file__).resolve().parent.parent / "templates" / "home.html"
EDITION = re.findall(r"Edition \d+", _HOME.read_text(encoding="utf-8"))[0]


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer whatever comes."""
    if scope["type"] == "websocket" and scope["path"] == "/ws":
        await echo(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/events":
        await events(receive, send)
    else:
        await pages(scope, receive, send)


async def echo(receive: Receive, send: Send) -> None:
    """Say what was said, and by which edition."""
    await receive()
    await send({"type": "websocket.accept"})
    while (said := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"{EDITION}: {said.get('text')}"})


async def events(receive: Receive, send: Send) -> None:
    """Name the edition once a second, until nobody listens any more."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    gone = asyncio.ensure_future(until_gone(receive))
    while not gone.done():
        await send({"type": "http.response.body", "body": f"data: {EDITION}\n\n".encode(), "more_body": True})
        await asyncio.wait([gone], timeout=1)


async def until_gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
