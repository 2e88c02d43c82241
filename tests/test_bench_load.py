# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The visitors, against a server here that behaves as badly as it is told to."""

from __future__ import annotations

import collections
import socketserver
import threading

import pytest

from bench.figures import failure
from bench.load import SLOW, Load, Settings
from droplet.process import wait_until

BODY = b'<meta name="release" content="7">'


class Handler(socketserver.StreamRequestHandler):
    """Answers; the path says how."""

    def handle(self):
        self.server.connections += 1
        served = 0
        while line := self.rfile.readline():
            path = line.split()[1].decode()
            headers = list(iter(self.rfile.readline, b"\r\n"))
            self.server.asked[path.partition("?")[0]] += 1
            served += 1
            if path == "/cut" or (path == "/cut-kept" and served > 1):
                return
            if path == "/hangs":
                self.server.released.wait(10)
                return
            if path.startswith("/slow/"):
                threading.Event().wait(0.3)
            status, body = {"/broken": ("502 Bad", b"x"), "/bare": ("200 OK", b"x")}.get(path, ("200 OK", BODY))
            self.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            if b"Connection: close\r\n" in headers:
                return


class Server(socketserver.ThreadingTCPServer):
    """Counts connections, and requests of each path."""

    daemon_threads = True
    request_queue_size = 200


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as running:
        running.connections, running.asked, running.released = 0, collections.Counter(), threading.Event()
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


def visit(server, folder, *paths, seconds=0.5, least=0, **more):
    """Let visitors come for a while, and until C(least) of them have come on a busy machine; give their records."""
    pattern = r'<meta name="release" content="(\d+)">'
    settings = Settings(f"http://127.0.0.1:{server.server_address[1]}", paths, pattern, **more)
    with Load(settings, folder / "records.jsonl") as load:
        threading.Event().wait(seconds)
        came = folder / "records.jsonl"
        wait_until(lambda: not least or (came.exists() and came.read_text().count("\n") >= least), timeout_seconds=20)
    return load.records


def test_pages_come_in_turn_each_on_a_new_connection(server, tmp_path):
    records = visit(server, tmp_path, "/", "/a", per_second=50, least=15)
    assert len(records) >= 15
    assert {(record.status, record.release, record.error) for record in records} == {(200, 7, "")}
    assert abs(server.asked["/"] - server.asked["/a"]) <= 1
    assert server.connections == len(records)
    assert all(record.due <= record.start <= record.end for record in records)


def test_connections_can_be_kept(server, tmp_path):
    records = visit(server, tmp_path, "/", per_second=50, keep_alive=True)
    assert {failure(record) for record in records} == {""}
    assert server.connections < len(records) / 2


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/broken", "status 502"),
        ("/bare", "a page without its release"),
        ("/cut", "ServerDisconnectedError"),
    ],
)
def test_failures_are_named(server, tmp_path, path, reason):
    assert {failure(record) for record in visit(server, tmp_path, path, per_second=20)} == {reason}


def test_a_kept_connection_that_is_cut_counts_although_the_second_try_is_answered(server, tmp_path):
    records = visit(server, tmp_path, "/cut-kept", per_second=20, keep_alive=True, least=6)
    reasons = collections.Counter(failure(record) for record in records)
    # On a busy machine the second try, too, may be on a connection that is cut.
    again = reasons.pop("ServerDisconnectedError", 0)
    assert reasons.keys() == {"", "the connection was cut"}
    # The very first request has a new connection; the second try leaves one that is cut for the next.
    assert reasons[""] < reasons["the connection was cut"] + again


def test_the_load_is_open_and_what_hangs_ends(server, tmp_path):
    # The second request is due, and leaves, although the first one hangs.
    records = visit(server, tmp_path, "/hangs", "/", per_second=20, timeout_seconds=1.0)
    reasons = collections.Counter((record.path, failure(record)) for record in records)
    assert reasons.keys() == {("/hangs", "no answer in time"), ("/", "")}
    assert max(record.start - record.due for record in records) < 0.5


def test_a_closed_port_is_a_failure(server, tmp_path):
    server.server_close()
    assert {failure(record) for record in visit(server, tmp_path, "/", per_second=20)} == {"ClientConnectorError"}


def test_slow_pages_come_beside_and_are_waited_for(server, tmp_path):
    records = visit(server, tmp_path, "/", per_second=20, slow_per_second=10, slow_seconds=0.3)
    slow = [record for record in records if record.kind == SLOW]
    assert len({record.path for record in slow}) == len(slow) >= 3
    assert {failure(record) for record in records} == {""}
    assert all(record.end - record.start >= 0.3 for record in slow)
