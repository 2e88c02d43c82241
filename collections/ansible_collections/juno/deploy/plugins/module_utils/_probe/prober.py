# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a site for its pages while it is deployed, without being a burden. Private to juno.deploy: no stable interface.

It runs as a process of its own, C(python3 -I -c <this source> <samples file>), with its spec on standard input (not in
its arguments, which every user of the host can read): standard library only.

Each line of the samples is a JSON list:
C(["r", start, seconds, page, status or words, digest, wrong text]) a request;
C(["c", ...]) the same with a query that no cache knows, so that the page is rendered again;
C(["m", from, to]) a time in which this process got no processor, so that nothing was asked;
C(["b", from, to]) a time in which nothing was asked so that a slow site is spared;
C(["u", start, page]) a request without an answer when the prober ended; C(["e", at, why]) the end.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import ssl
import sys
import threading
import time
import typing as t
import urllib.parse

#: A visitor has long gone by then.
TIMEOUT_SECONDS = 10.0
#: Requests in flight, no two of them for the same page.
MOST_IN_FLIGHT = 4
#: After an answer its page is left alone for so many times as long as it took: all in all a slow site has to spend no
#: more than the time of one worker on this.
REST = 3.0
LONGEST_REST_SECONDS = 5.0
#: Requests in flight get so long to end when the prober is told to.
DRAIN_SECONDS = 10.0
CHECK_SECONDS = 1.0
MAX_BODY_BYTES = 8 * 1024 * 1024
#: About 15 MB of samples.
MAX_SAMPLES = 200_000
SIGNALS = (signal.SIGTERM,)

_AND = rb"(?:&amp;|&#38;|&|%26|\\u0026)"
_IS = rb"(?:=|%3D|&#61;|&#x3D;|\\u003D)"

Spec = dict[str, t.Any]


def _runs(pid: int, started: str) -> bool:
    """Return whether a process still runs that started at a time (in the kernel's ticks)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] not in "ZX" and fields[19] == started


def normalise(body: bytes, volatile: t.Iterable[str], token: str = "") -> bytes:
    """Take out of a page what differs between any two renderings of it, but a first group that stays.

    With a token also the query that C(ask) added, in the forms in which a page may repeat its own address.
    """
    if token:
        query = rb"_juno" + _IS + token.encode()
        body = re.sub(rb"(\?|%3F|\\u003F)" + query + _AND, rb"\1", body, flags=re.IGNORECASE)
        body = re.sub(rb"(?:\?|%3F|\\u003F|" + _AND + rb")?" + query, b"", body, flags=re.IGNORECASE)
    for one in volatile:
        body = re.sub(one.encode(), lambda found: found[1] if found.re.groups else b"", body)
    return body


def busting_query(target: str, token: str) -> str:
    """Return what to append to a path so that no cache knows it."""
    return f"{'&' if '?' in target else '?'}_juno={token}" if token else ""


def ask(spec: Spec, page: dict[str, t.Any], token: str = "") -> tuple[int | str, str, bool]:
    """Ask for a page on a new connection, following no redirect.

    Gives the status (or in words why there is none), a digest of the answer, and whether its text is wrong.
    """
    parts = urllib.parse.urlsplit(spec["base_url"])
    target = page["path"] + busting_query(page["path"], token)
    headers = {"User-Agent": "juno.deploy probe", "Host": parts.netloc, **spec["headers"], "Connection": "close"}
    connection = http.client.HTTPConnection(parts.hostname or "", port_of(parts), timeout=TIMEOUT_SECONDS)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    begun = False
    try:
        if parts.scheme == "https":
            connection.connect()
            connection.sock = _encrypted(connection.sock, headers.get("Host") or parts.hostname or "")
        connection.request("GET", target, headers=headers)
        sock = connection.sock
        response = connection.getresponse()
        begun = True
        body = bytearray()
        while len(body) < MAX_BODY_BYTES and (piece := response.read1(65536)):
            body += piece
            if response.isclosed():
                break  # it has all of it, and Python 3.13 has closed the socket
            # The socket's own limit bounds each read, not all of them.
            if time.monotonic() >= deadline:
                raise TimeoutError
            sock.settimeout(max(0.001, deadline - time.monotonic()))
        if response.length and len(body) < MAX_BODY_BYTES:
            return "connection cut within the answer", "", False
    except (OSError, http.client.HTTPException) as exc:
        return describe(exc, begun), "", False
    finally:
        connection.close()
    wrong = any(text.encode() not in body for text in page["contains"])
    wrong = wrong or any(text.encode() in body for text in page["excludes"])
    seen = f"{response.status} {response.getheader('Location', '')}\n".encode() + body
    plain = normalise(seen, spec.get("volatile", ()), token)  # the spec of an earlier version has none
    return response.status, hashlib.sha256(plain).hexdigest()[:16], wrong


def port_of(parts: urllib.parse.SplitResult) -> int:
    """Return the port of an address."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def _encrypted(sock: socket.socket, host: str) -> ssl.SSLSocket:
    """Speak TLS, for the site's name; whether its certificate is good is the verification's to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname=urllib.parse.urlsplit(f"//{host}").hostname)


def describe(exc: Exception, begun: bool) -> str:
    """Return in words why there is no whole answer."""
    if isinstance(exc, TimeoutError) or str(exc) == "timed out":  # 3.9's socket.timeout is no TimeoutError
        return f"no whole answer within {TIMEOUT_SECONDS:g} s"
    if isinstance(exc, ConnectionRefusedError):
        return "connection refused"
    if isinstance(exc, (ConnectionError, http.client.IncompleteRead)):
        return f"connection {'cut within the answer' if begun else 'closed without an answer'}"
    if isinstance(exc, http.client.HTTPException):
        return f"its answer is not HTTP ({type(exc).__name__})"
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc)


class Samples:
    """Appends lines to a file; what a full disk refuses is kept and tried again with the next line."""

    def __init__(self, path: str) -> None:
        self.count = 0
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._waiting = b""
        self._lock = threading.Lock()

    def add(self, *fields: t.Any) -> None:
        with self._lock:
            self.count += 1
            self._waiting += json.dumps(fields, separators=(",", ":")).encode() + b"\n"
            try:
                self._waiting = self._waiting[os.write(self._handle, self._waiting) :]
            except OSError:
                return  # nothing is lost yet; without its last line the whole counts as ended early


class Prober:
    """A closed loop: a page is asked for when the answer before has come, and later where that took long."""

    def __init__(self, spec: Spec, samples: Samples) -> None:
        self._spec = spec
        self._samples = samples
        self._pool = concurrent.futures.ThreadPoolExecutor(MOST_IN_FLIGHT)
        #: Renderings wait for each other: each costs the site some work.
        self._renderer = concurrent.futures.ThreadPoolExecutor(1)
        self._open: dict[int, tuple[float, int]] = {}
        self._changed = threading.Condition()
        self._keys = 0
        self._next = 0
        #: When each page may be asked for again.
        self._rests = [0.0] * len(spec["pages"])
        self._resting_since = 0.0
        self._problem = ""
        # Only the offset is taken from the clock that may be set while this runs.
        self._epoch = time.time() - time.monotonic()

    def run(self) -> None:
        """Ask until a signal, the spec's limits or a dead deploy end it."""
        why = self._loop()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, DRAIN_SECONDS)
            left = list(self._open.values())
        for start, page in left:
            self._samples.add("u", round(start, 4), page)
        self._samples.add("e", round(self._now(), 4), why)

    def _now(self) -> float:
        return self._epoch + time.monotonic()

    def _loop(self) -> str:
        interval = 1 / self._spec["rate_per_second"]
        began = due = self._now()
        self._controls()
        while not (why := self._wait(due) or self._limits(began)):
            late = self._now() - due
            if late > interval:
                self._samples.add("m", round(due, 4), round(due + late, 4))
                due += late
            self._ask_next()
            due += interval
        return why

    def _ask_next(self) -> None:
        """Ask for the next page whose time has come, if there is one."""
        now, pages = self._now(), len(self._rests)
        with self._changed:
            busy = {page for _start, page in self._open.values()}
            turns = ((self._next + turn) % pages for turn in range(pages))
            free = (page for page in turns if page not in busy and self._rests[page] <= now)
            page = next(free, None) if len(self._open) < MOST_IN_FLIGHT else None
        if page is not None:
            if self._resting_since:
                self._samples.add("b", round(self._resting_since, 4), round(now, 4))
                self._resting_since = 0.0
            self._next = page + 1
            self._ask("r", page)
        elif not busy:
            self._resting_since = self._resting_since or now

    def _wait(self, due: float) -> str:
        """Wait until a request is due; a signal to end gives the reason."""
        looked = self._now()
        while True:
            got = signal.sigtimedwait(SIGNALS, min(max(0.0, due - self._now()), CHECK_SECONDS))
            if got is not None:
                return "asked"
            if self._now() >= due:
                return ""
            if self._now() - looked >= CHECK_SECONDS and (why := self._limits(0)):
                return why

    def _limits(self, began: float) -> str:
        """Return why this must end, if it must."""
        if self._problem:
            return f"it broke: {self._problem}"
        if self._samples.count >= MAX_SAMPLES:
            return f"it had {MAX_SAMPLES} samples"
        if began and self._now() - began > self._spec["longest_seconds"]:
            return f"it ran for {self._spec['longest_seconds']:g} s"
        return "the deploy died" if self._spec["deployer"] and not _runs(*self._spec["deployer"]) else ""

    def _controls(self) -> None:
        for page in range(len(self._spec["pages"])):
            self._ask("c", page)

    def _ask(self, kind: str, page: int) -> None:
        if kind == "c":
            self._renderer.submit(self._render_again, page).add_done_callback(self._done)
            return
        start = self._now()
        with self._changed:
            self._keys += 1
            key = self._keys
            self._open[key] = (start, page)
        self._pool.submit(self._one, key, start, page).add_done_callback(self._done)

    def _one(self, key: int, start: float, page: int) -> None:
        rest = 0.0
        try:
            result, digest, wrong = ask(self._spec, self._spec["pages"][page])
            seconds = self._now() - start
            self._samples.add("r", round(start, 4), round(seconds, 4), page, result, digest, int(wrong))
            # Who gets no answer asks again at once: how long that lasts is what this is to find out.
            rest = min(REST * seconds, LONGEST_REST_SECONDS) if isinstance(result, int) else 0.0
        finally:
            with self._changed:
                del self._open[key]
                self._rests[page] = self._now() + rest
                self._changed.notify()

    def _render_again(self, page: int) -> None:
        start = self._now()
        result, digest, wrong = ask(self._spec, self._spec["pages"][page], secrets.token_hex(8))
        seconds = self._now() - start
        self._samples.add("c", round(start, 4), round(seconds, 4), page, result, digest, int(wrong))

    def _done(self, future: concurrent.futures.Future[None]) -> None:
        if problem := future.exception():
            self._problem = f"{type(problem).__name__}: {problem}"


def main(samples: str) -> None:
    """Run as the prober's process."""
    # Before any thread starts, so that only sigtimedwait meets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    Prober(json.load(sys.stdin), Samples(samples)).run()
    sys.stderr.flush()
    os._exit(0)  # requests that hang must not keep it


if __name__ == "__main__":
    main(sys.argv[1])
