# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Visitors of a site while something is done to it.

visitors.py start URL FOLDER        come, some 20 times a second, until told to stop
visitors.py mark NAME [AT] FOLDER   note that something begins now, or began at a time; "Edition N": that no page may be
                                    older from then on
visitors.py stop FOLDER             leave; print as JSON what was seen, also between any two marks

VISITORS_PATHS and VISITORS_PER_SECOND in the environment say otherwise what is asked for, and how often. In a path
{number} is another one each time, and {recent} one of five, of which the oldest is replaced now and then.
VISITORS_HOST is the name that they ask for, if it isn't the one in URL.
VISITORS_LOGIN is the user:password that they have for the whole site.
VISITORS_MEMBER is a JSON object: at its "path" they send its "cookie", and whoever is logged in sees its "text".
"""

from __future__ import annotations

import base64
import bisect
import collections
import concurrent.futures
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import typing as t
import urllib.parse

PER_SECOND = float(os.environ.get("VISITORS_PER_SECOND") or 20)
TIMEOUT_SECONDS = 15
#: Nobody may forget them: they leave by themselves.
LONGEST_SECONDS = 1800
#: From the page cache, rendered again each time, another page, a page that is never cached.
PATHS = os.environ.get("VISITORS_PATHS", "").split() or ["/", "/?visit={number}", "/jobs/", "/healthz"]
HOST = os.environ.get("VISITORS_HOST", "")
LOGIN = os.environ.get("VISITORS_LOGIN", "")
MEMBER = json.loads(os.environ.get("VISITORS_MEMBER") or "{}")
EDITION = re.compile(rb"Edition (\d+)")
PROMISE = re.compile(r"Edition (\d+)")
SHOWN = 10
#: How many pages are recent at a time, and after how many visits another one takes the place of the oldest.
RECENT, RENEWED_AFTER = 5, 60

Seen = dict[str, t.Any]


def ask(parts: urllib.parse.SplitResult, path: str) -> Seen:
    """Ask for a page; tell when, and what came."""
    host = parts.hostname or ""
    seen: Seen = {"path": path, "start": time.time(), "status": 0, "edition": None, "error": ""}
    headers = {"Connection": "close", **({"Host": HOST} if HOST else {})}
    if LOGIN:
        headers["Authorization"] = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"
    if path == MEMBER.get("path"):
        headers["Cookie"] = MEMBER["cookie"]
    if parts.scheme == "https":
        # For the site's name, whoever has signed its certificate.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, parts.port or 443, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        connection = http.client.HTTPConnection(host, parts.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        found = EDITION.search(body)
        seen.update(status=answer.status, edition=int(found[1]) if found else None)
        if "Cookie" in headers:
            seen["member"] = MEMBER["text"].encode() in body
    except (OSError, http.client.HTTPException) as exc:
        seen["error"] = f"{type(exc).__name__}: {exc}"
    finally:
        connection.close()
    return {**seen, "end": time.time()}


def come(url: str, folder: pathlib.Path) -> None:
    """Ask at a fixed rate until told to stop; nobody waits for those before, as visitors don't."""
    parts = urllib.parse.urlsplit(url)
    # Not by a handler that sets an Event: it may come while this thread holds the Event's own lock, and wait for ever.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    began = time.monotonic()
    with (
        (folder / "visits.jsonl").open("a", encoding="utf-8", buffering=1) as out,
        concurrent.futures.ThreadPoolExecutor(max_workers=int(PER_SECOND * TIMEOUT_SECONDS) + 1) as pool,
    ):

        def keep(done: concurrent.futures.Future[Seen]) -> None:
            out.write(json.dumps(done.result()) + "\n")

        for number in itertools.count():
            due = began + number / PER_SECOND
            told = signal.sigtimedwait({signal.SIGTERM}, max(0.0, due - time.monotonic()))
            if told is not None or due - began > LONGEST_SECONDS:
                return
            recent = number // RENEWED_AFTER + number // len(PATHS) % RECENT
            path = PATHS[number % len(PATHS)].format(number=number, recent=recent)
            pool.submit(ask, parts, path).add_done_callback(keep)


def start(url: str, folder: pathlib.Path) -> None:
    """Let visitors come, in a process of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    visits = folder / "visits.jsonl"
    visits.unlink(missing_ok=True)
    with (folder / "visitors.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, "come", url, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder / "pid").write_text(str(process.pid))
    until(lambda: process.poll() is None and visits.exists() and visits.stat().st_size > 0, 20, "no visitor came")


def stop(folder: pathlib.Path) -> Seen:
    """Let the visitors leave after their last answer; give what they saw."""
    pid = int((folder / "pid").read_text())
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    until(lambda: not runs(pid), TIMEOUT_SECONDS + 5, "the visitors do not leave")
    lines = [json.loads(line) for line in (folder / "visits.jsonl").read_text(encoding="utf-8").splitlines()]
    return summary(lines)


def runs(pid: int) -> bool:
    """Tell whether a process still runs; one that nobody has buried does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(done: t.Callable[[], bool], seconds: float, failure: str) -> None:
    """Wait for something, bounded in time."""
    ends = time.monotonic() + seconds
    pause = threading.Event()
    while not done():
        if time.monotonic() > ends:
            raise SystemExit(f"visitors.py: {failure}")
        pause.wait(0.05)


def summary(lines: list[Seen]) -> Seen:
    """Sum up what visitors saw: failures, and the editions of the pages between any two marks."""
    visits = sorted((line for line in lines if "path" in line), key=lambda one: t.cast("float", one["start"]))
    marks = [line for line in lines if "mark" in line]
    failed = [one for one in visits if one["status"] != 200]
    old = outdated(visits, marks)
    members = [one["member"] for one in visits if "member" in one and one["status"] == 200]
    begin = visits[0]["start"] if visits else 0.0
    return {
        "requests": len(visits),
        "failures": len(failed),
        "causes": dict(collections.Counter(f"{one['status'] or one['error']}" for one in failed)),
        "failed": [f"{when(one, begin)} {one['status'] or one['error']}" for one in failed[:SHOWN]],
        "old": len(old),
        "old_pages": [f"{when(one, begin)} Edition {one['edition']}" for one in old[:SHOWN]],
        "back": gone_back(visits),
        "members": len(members),
        "logged_out": members.count(False),
        "marks": {one["mark"]: round(one["at"] - begin, 2) for one in marks},
        "gap_seconds": gap(visits),
        "editions": {
            f"{first['mark']}-{last['mark']}": editions(visits, first["at"], last["at"])
            for first, last in itertools.pairwise([*marks, {"mark": "end", "at": float("inf")}])
        },
    }


def when(visit: Seen, begin: float) -> str:
    """Say when a page was asked for, and which."""
    return f"{visit['start'] - begin:.2f} s to {visit['end'] - begin:.2f} s: {visit['path']}"


def outdated(visits: list[Seen], marks: list[Seen]) -> list[Seen]:
    """Give the pages of an edition before the newest that a mark had promised when they were asked for."""
    promises = [(one["at"], int(found[1])) for one in marks if (found := PROMISE.fullmatch(one["mark"]))]
    return [
        one
        for one in visits
        if one["edition"] and one["edition"] < max((n for at, n in promises if at <= one["start"]), default=0)
    ]


def gone_back(visits: list[Seen]) -> int:
    """Count the pages of an edition before one that somebody had been shown by then."""
    shown = sorted((one["end"], one["edition"]) for one in visits if one["edition"])
    newest = list(itertools.accumulate((edition for _end, edition in shown), max))
    ends = [end for end, _edition in shown]
    asked = ((one, bisect.bisect_right(ends, one["start"])) for one in visits if one["edition"])
    return sum(1 for one, before in asked if before and one["edition"] < newest[before - 1])


def editions(visits: list[Seen], begin: float, end: float) -> dict[str, int]:
    """Count the editions of the pages that were asked for and answered within a time."""
    within = [one["edition"] for one in visits if begin <= one["start"] and one["end"] <= end and one["edition"]]
    return {str(edition): within.count(edition) for edition in sorted(set(within))}


def gap(visits: list[Seen]) -> float:
    """Give the longest time without a good answer."""
    good = sorted(one["end"] for one in visits if one["status"] == 200)
    return round(max((after - before for before, after in itertools.pairwise(good)), default=0.0), 2)


def main(what: str, *words: str) -> None:
    """Do what is asked."""
    folder = pathlib.Path(words[-1])
    if what == "start":
        start(words[0], folder)
    elif what == "come":
        come(words[0], folder)
    elif what == "mark":
        with (folder / "visits.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps({"mark": words[0], "at": float(words[1]) if words[2:] else time.time()}) + "\n")
    elif what == "stop":
        sys.stdout.write(json.dumps(stop(folder)) + "\n")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
