#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Visitors: requests at a fixed rate, whatever the site does, from a process of its own. Every one is written down.

The load is open: a request is due at its time, also when those before it still wait, as visitors don't wait for each
other. It runs until its standard input is closed, then waits for the last answers. Times are of the monotonic clock,
which all processes of a machine share.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import itertools
import json
import re
import subprocess
import sys
import time
import types
import typing as t
from pathlib import Path

import aiohttp

from droplet.process import DropletError

PAGE = "page"
SLOW = "slow"
#: Each slow request has an address of its own, because the site caches its pages.
SLOW_PATH = "/slow/?seconds={seconds:g}&visit={number}"
STARTED = "started"


@dataclasses.dataclass(frozen=True)
class Settings:
    """What to ask for, and how often."""

    base_url: str
    paths: tuple[str, ...]
    #: The release that a page shows, as its first group.
    pattern: str
    per_second: float = 40.0
    keep_alive: bool = False
    slow_per_second: float = 0.0
    slow_seconds: float = 5.0
    timeout_seconds: float = 15.0


@dataclasses.dataclass(frozen=True)
class Record:
    """One request. An error is empty when the whole answer came at the first try."""

    kind: str
    path: str
    due: float
    start: float
    end: float
    status: int = 0
    release: int | None = None
    error: str = ""


class Visitors:
    """Asks, and hands each record to a function."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, keep: t.Callable[[Record], None]) -> None:
        self._settings = settings
        self._session = session
        self._keep = keep
        self._pattern = re.compile(settings.pattern.encode())
        self._flying: set[asyncio.Task[None]] = set()

    async def run(self, stopped: asyncio.Event) -> None:
        """Ask until told to stop, then wait for those that are under way; each ends at its time limit at last."""
        began = time.monotonic()
        pages = ((PAGE, path) for path in itertools.cycle(self._settings.paths))
        seconds = self._settings.slow_seconds
        slow = ((SLOW, SLOW_PATH.format(seconds=seconds, number=f"{began:.3f}-{n}")) for n in itertools.count())
        paces = [self._pace(pages, self._settings.per_second, began, stopped)]
        if self._settings.slow_per_second:
            paces.append(self._pace(slow, self._settings.slow_per_second, began, stopped))
        await asyncio.gather(*paces)
        await asyncio.gather(*self._flying)

    async def _pace(
        self, asked: t.Iterator[tuple[str, str]], per_second: float, began: float, stopped: asyncio.Event
    ) -> None:
        for number, (kind, path) in enumerate(asked):
            due = began + number / per_second
            # Where this process is late it catches up: none is left out, and its record shows the delay.
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if stopped.is_set():
                return
            task = asyncio.create_task(self._ask(kind, path, due))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)

    async def _ask(self, kind: str, path: str, due: float) -> None:
        start, status, release, error = time.monotonic(), 0, None, ""
        # The library asks once more by itself when a connection was cut: a visitor's form would be lost, so it counts.
        connections = itertools.count()
        try:
            async with self._session.get(self._settings.base_url + path, trace_request_ctx=connections) as answer:
                body = await answer.read()
                status = answer.status
            found = self._pattern.search(body)
            release = int(found.group(1)) if found else None
        except asyncio.TimeoutError:
            error = "no answer in time"
        except (aiohttp.ClientError, OSError) as exc:
            error = type(exc).__name__
        if not error and next(connections) > 1:
            error = "the connection was cut"
        self._keep(Record(kind, path, due, start, time.monotonic(), status, release, error))


async def _count(_session: aiohttp.ClientSession, context: types.SimpleNamespace, _event: t.Any) -> None:
    next(context.trace_request_ctx)


async def visit(settings: Settings, out: t.TextIO) -> None:
    """Ask until standard input ends; write each record as a line of JSON."""

    def keep(record: Record) -> None:
        out.write(json.dumps(dataclasses.asdict(record)) + "\n")

    stopped, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop() -> None:
        # An ended input is readable for ever.
        loop.remove_reader(sys.stdin)
        stopped.set()

    loop.add_reader(sys.stdin, stop)
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(_count)
    trace.on_connection_reuseconn.append(_count)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=not settings.keep_alive),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={} if settings.keep_alive else {"Connection": "close"},
        timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds),
        trace_configs=[trace],
    )
    async with session:
        print(STARTED, flush=True)
        await Visitors(settings, session, keep).run(stopped)


class Load:
    """The load in its own process, until the end of the block; then its records."""

    def __init__(self, settings: Settings, file: Path) -> None:
        self._settings = settings
        self._file = file
        self.records: list[Record] = []

    def __enter__(self) -> t.Self:
        settings = json.dumps(dataclasses.asdict(self._settings))
        argv = [sys.executable, "-m", "bench.load", "--settings", settings, "--output", str(self._file.resolve())]
        root = Path(__file__).resolve().parent.parent
        self._process = subprocess.Popen(argv, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is None or self._process.stdout.readline().strip() != STARTED:
            self._process.kill()
            raise DropletError("The load generator did not start: its error is above.")
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            # Closes its standard input, which tells it to stop.
            self._process.communicate(timeout=self._settings.timeout_seconds + 15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise DropletError("The load generator did not end in time and was killed.") from None
        if self._process.returncode:
            raise DropletError(f"The load generator ended with code {self._process.returncode}: its error is above.")
        with self._file.open(encoding="utf-8") as lines:
            self.records = [Record(**json.loads(line)) for line in lines]


def main() -> None:
    """Be the process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--settings", required=True, help="the fields of Settings, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="file for the records, a line of JSON each")
    args = parser.parse_args()
    given = json.loads(args.settings)
    settings = Settings(**{**given, "paths": tuple(given["paths"])})
    with args.output.open("w", encoding="utf-8") as out:
        asyncio.run(visit(settings, out))


if __name__ == "__main__":
    main()
