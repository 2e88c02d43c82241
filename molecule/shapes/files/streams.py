# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WebSocket and a stream of server-sent events that stay open while something is done to a site.

streams.py start URL FOLDER     open them; whoever is cut off comes back, as a browser does
streams.py stop FOLDER          leave; print as JSON what each connection was like
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t
import urllib.parse

#: Nobody may forget them: they leave by themselves.
LONGEST_SECONDS = 900
TIMEOUT_SECONDS = 15
PAUSE_SECONDS = 0.2
EDITION = re.compile(rb"Edition (\d+)")
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

Seen = dict[str, t.Any]


class GoneError(Exception):
    """The other side has ended it."""


def connect(parts: urllib.parse.SplitResult, path: str, headers: str) -> t.Any:
    """Ask for a path; return the connection, after the head of the answer."""
    link = socket.create_connection((parts.hostname, parts.port or 80), timeout=TIMEOUT_SECONDS)
    link.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}\r\n".encode())
    file = link.makefile("rb")
    status = file.readline().split()
    if len(status) < 2 or status[1] not in (b"101", b"200"):
        raise GoneError(f"answered {status[1:2]}")
    while file.readline().strip():
        pass
    return link, file


def read(file: t.Any, count: int) -> bytes:
    """Read so many bytes.

    :raises GoneError: there are no more.
    """
    data: bytes = file.read(count)
    if len(data) < count:
        raise GoneError("cut")
    return data


def events(parts: urllib.parse.SplitResult, seen: Seen) -> None:
    """Listen to server-sent events."""
    _link, file = connect(parts, "/events", "Accept: text/event-stream\r\n")
    while line := file.readline():
        note(seen, line)
        if line.strip() == b"0":
            raise GoneError("ended")
    raise GoneError("cut")


def websocket(parts: urllib.parse.SplitResult, seen: Seen) -> None:
    """Say something by a WebSocket once a second, and hear it said again."""
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    link, file = connect(parts, "/ws", f"{upgrade}Sec-WebSocket-Key: {key}\r\n")
    send(link, TEXT, b"hello")
    while True:
        head = read(file, 2)
        body = read(file, head[1] & 127)
        kind = head[0] & 15
        if kind == CLOSE:
            raise GoneError(f"closed {int.from_bytes(body[:2], 'big')}")
        if kind == PING:
            send(link, PONG, body)
        elif kind == TEXT:
            note(seen, body)
            time.sleep(1)
            send(link, TEXT, b"hello")


def send(link: socket.socket, kind: int, body: bytes) -> None:
    """Send a frame, masked by zeros."""
    link.sendall(bytes([128 | kind, 128 | len(body), 0, 0, 0, 0]) + body)


def note(seen: Seen, text: bytes) -> None:
    """Note which edition was heard, and when."""
    if found := EDITION.search(text):
        seen["editions"] = sorted({*seen["editions"], int(found[1])})
        seen["heard"] = time.time()


def come(url: str, folder: pathlib.Path) -> None:
    """Keep both open until told to leave."""
    parts = urllib.parse.urlsplit(url)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    found: dict[str, list[Seen]] = {"websocket": [], "events": []}

    def keep(name: str, listen: t.Callable[[urllib.parse.SplitResult, Seen], None]) -> None:
        while True:
            seen: Seen = {"opened": time.time(), "heard": 0.0, "editions": [], "closed": 0.0, "how": "open"}
            found[name].append(seen)
            try:
                listen(parts, seen)
            except (OSError, GoneError) as exc:
                seen.update(closed=time.time(), how=str(exc) if isinstance(exc, GoneError) else type(exc).__name__)
            time.sleep(PAUSE_SECONDS)

    for name, listen in (("websocket", websocket), ("events", events)):
        threading.Thread(target=keep, args=(name, listen), daemon=True).start()
    until(lambda: all(one and one[0]["heard"] for one in found.values()), TIMEOUT_SECONDS, "a stream says nothing")
    (folder / "open").touch()
    signal.sigtimedwait({signal.SIGTERM}, LONGEST_SECONDS)
    (folder / "seen.json").write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)


def start(url: str, folder: pathlib.Path) -> None:
    """Open them, in a process of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("open", "seen.json"):
        (folder / name).unlink(missing_ok=True)
    with (folder / "streams.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, "come", url, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder / "pid").write_text(str(process.pid))
    until((folder / "open").exists, TIMEOUT_SECONDS + 5, "the streams did not open")


def stop(folder: pathlib.Path) -> str:
    """Close them; return what was seen."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
    until((folder / "seen.json").exists, TIMEOUT_SECONDS, "the streams do not end")
    time.sleep(PAUSE_SECONDS)
    return (folder / "seen.json").read_text(encoding="utf-8")


def until(done: t.Callable[[], bool], seconds: float, failure: str) -> None:
    """Wait for something, bounded in time."""
    ends = time.monotonic() + seconds
    while not done():
        if time.monotonic() > ends:
            raise SystemExit(f"streams.py: {failure}")
        time.sleep(0.05)


def main(what: str, *words: str) -> None:
    """Do what is asked."""
    folder = pathlib.Path(words[-1])
    if what == "start":
        start(words[0], folder)
    elif what == "come":
        come(words[0], folder)
    elif what == "stop":
        sys.stdout.write(stop(folder) + "\n")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
