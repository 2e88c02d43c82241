# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: an ASGI application that is called as a WSGI application is.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import asyncio
import contextlib
import importlib
import typing as t

#: An answer is heard up to here; some never end.
BODY_BYTES = 1024 * 1024


class EnoughError(Exception):
    """So much of an answer will do."""


def scope_of(environ: "dict[str, t.Any]") -> "dict[str, t.Any]":
    """Return what a server tells an application about a request without a body."""
    path = environ["PATH_INFO"].encode("latin-1")
    headers = [
        (name[len("HTTP_") :].lower().replace("_", "-").encode("latin-1"), str(value).encode("latin-1"))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "root_path": "",
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "headers": headers,
        "client": (environ["REMOTE_ADDR"], 0),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
    }


def as_wsgi(application: t.Any) -> t.Any:
    """Return a WSGI application that asks an ASGI application, for requests without a body."""

    def call(environ: "dict[str, t.Any]", start_response: t.Any) -> "list[bytes]":
        parts: list[bytes] = []
        told = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> "dict[str, t.Any]":
            if told:
                return told.pop()
            await asyncio.get_event_loop().create_future()  # the client stays until it has its answer
            return {"type": "http.disconnect"}

        async def send(message: "dict[str, t.Any]") -> None:
            if message["type"] == "http.response.start":
                named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
                start_response("{} ".format(message["status"]), named)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > BODY_BYTES:
                    raise EnoughError

        with contextlib.suppress(EnoughError):
            # By asgiref, so that what isn't async runs in this thread, with the database as it was prepared here.
            importlib.import_module("asgiref.sync").async_to_sync(application)(scope_of(environ), receive, send)
        return parts

    return call


def only_by_asgi(settings: t.Any) -> t.Any:
    """Return the application of a site that has no other than by ASGI, as WSGI; nothing where that can't be told."""
    name = getattr(settings, "ASGI_APPLICATION", None)
    if not name or getattr(settings, "WSGI_APPLICATION", None):
        return None
    return as_wsgi(importlib.import_module("django.utils.module_loading").import_string(name))
