# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection, to a socket that answers line by line what a memcached would."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._memcached.connection import MOST_LINE_BYTES, Connection
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options, Server, ServerError

VERSION = (b"version", b"VERSION 1.6.38\r\n")
ASKS = (b"version", b"CLIENT_ERROR unauthenticated\r\n")
LOGIN = (b"set login 0 0 16\r\njuno s3cret-word\r\n", b"STORED\r\n")
JUNO = Options(timeout_seconds=1, username="juno", password="s3cret-word")


class Script(threading.Thread):
    """A listener that expects commands to begin as prepared, and answers; with None it closes the connection."""

    def __init__(self, *steps):
        super().__init__(daemon=True)
        self.steps = list(steps)
        self.got = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.server = Server(*self.listener.getsockname())

    def run(self):
        while self.steps:
            conn, _address = self.listener.accept()
            with conn:
                while self.steps and (got := conn.recv(4096)):
                    self.got.append(got)
                    wanted, answer = self.steps.pop(0)
                    if not got.startswith(wanted) or answer is None:
                        break
                    conn.sendall(answer)
        self.listener.close()


@pytest.fixture
def play():
    def start(*steps):
        script = Script(*steps)
        script.start()
        return script

    return start


def refused(script, work=lambda connection: None, options=JUNO):
    with pytest.raises(ServerError) as caught, Connection(script.server, options) as connection:
        work(connection)
    return caught.value


def test_no_password_for_a_server_that_does_not_ask(play):
    script = play(VERSION)
    with Connection(script.server, JUNO) as connection:
        assert connection.version == "1.6.38"
    assert not any(b"s3cret" in got for got in script.got)


def test_a_login_where_the_server_asks(play):
    script = play(ASKS, LOGIN, VERSION, (b"flush_all", b"OK\r\n"))
    with Connection(script.server, JUNO) as connection:
        connection.flush()
    assert script.steps == []


def test_a_new_connection_logs_in_again(play):
    script = play(
        ASKS, LOGIN, VERSION, (b"stats", b"SERVER_ERROR busy\r\n"), ASKS, LOGIN, VERSION, (b"flush", b"OK\r\n")
    )
    with Connection(script.server, JUNO) as connection:
        with pytest.raises(ServerError, match="busy"):
            connection.stats()
        connection.flush()
    assert script.steps == []


def test_a_refused_login(play):
    error = refused(play(ASKS, (LOGIN[0], b"CLIENT_ERROR authentication failure\r\n")))
    assert error.kind == "auth"
    assert "refused the login of 'juno'" in error.message
    assert "s3cret" not in error.message


def test_no_login_given(play):
    assert refused(play(ASKS), options=Options(timeout_seconds=1)).kind == "auth"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"CLIENT_ERROR flush_all not allowed\r\n", "flush_disabled"),
        (b"NO\r\n", "error"),
        (b"SERVER_ERROR\r\n", "error"),
        (None, "closed"),
    ],
)
def test_a_flush_counts_only_with_ok(play, answer, kind):
    assert refused(play(VERSION, (b"flush_all", answer)), lambda connection: connection.flush()).kind == kind


def test_silence_is_bounded():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with (
            pytest.raises(ServerError) as caught,
            Connection(Server(*silent.getsockname()), Options(timeout_seconds=0.2)),
        ):
            pass
    assert caught.value.kind == "silent"
    assert time.monotonic() - started < 5


def test_the_second_address_of_a_name_is_tried(play, monkeypatch):
    script = play(VERSION)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()
    real = socket.getaddrinfo(*script.listener.getsockname(), socket.AF_INET, socket.SOCK_STREAM)[0]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [(*real[:4], nobody), real])
    with Connection(Server("localhost", script.server.port), JUNO) as connection:
        assert connection.version == "1.6.38"


def test_the_marker_is_removed_at_once(play):
    script = play(VERSION, (b"set m 0 60 1\r\n", b"STORED\r\n"), (b"gets m", b"VALUE m 0 1 77\r\n1\r\nEND\r\n"),
                  (b"delete m", b"DELETED\r\n"))  # fmt: skip
    with Connection(script.server, JUNO) as connection:
        assert connection.newest_cas("m") == 77
    assert script.steps == []


def test_a_marker_that_is_gone_already_counts_nothing(play):
    script = play(VERSION, (b"set", b"STORED\r\n"), (b"gets", b"END\r\n"), (b"delete", b"NOT_FOUND\r\n"))
    with Connection(script.server, JUNO) as connection:
        assert connection.newest_cas("m") == 0


def dump(connection, seconds=5):
    return list(connection.metadump(seconds))


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (b"END\r\n", []),
        (b"key=a cas=1 \nkey=b cas=2 \nEND\r\n", [b"key=a cas=1 \n", b"key=b cas=2 \n"]),
        (b"OK\r\nkey=END cas=1 \nEND\r\n", [b"OK\r\n", b"key=END cas=1 \n"]),
        (b"BUSY currently processing crawler request\r\n", [b"BUSY currently processing crawler request\r\n"]),
        (b"ERROR metadump not allowed\r\n", [b"ERROR metadump not allowed\r\n"]),
    ],
)
def test_metadump(play, answer, lines):
    script = play(VERSION, (b"lru_crawler metadump hash\r\n", answer), (b"flush_all", b"OK\r\n"))
    with Connection(script.server, JUNO) as connection:
        assert dump(connection) == lines
        # The connection is good for more.
        connection.flush()


@pytest.mark.parametrize("version", [b"1.5.6", b"1.5.22", b"1.6.8"])
def test_a_list_that_leaves_entries_out_is_not_asked_for(play, version):
    script = play((b"version", b"VERSION " + version + b"\r\n"))
    end = refused(script, dump)
    assert end.kind == "unlistable"
    assert f"memcached {version.decode()} leaves entries out of its list of keys" in end.message


@pytest.mark.parametrize("work", [dump, lambda connection: connection.delete_many(b"md a\r\n", 1)])
def test_a_line_without_end_is_not_read_for_ever(play, work):
    begin = b"lru_crawler" if work is dump else b"md a"
    end = refused(play(VERSION, (begin, b"key=" + b"x" * (2 * MOST_LINE_BYTES))), work)
    assert end.kind == "error"
    assert "a line without end" in end.message


def test_a_list_that_breaks_off_is_no_proof(play):
    script = play(VERSION, (b"lru_crawler", b"key=a cas=1 \n"))
    assert refused(script, dump).kind == "closed"


def test_a_list_that_takes_too_long_is_no_proof(play):
    script = play(VERSION, (b"lru_crawler", b"key=a cas=1 \n"))
    assert refused(script, lambda connection: dump(connection, -1)).kind == "silent"
