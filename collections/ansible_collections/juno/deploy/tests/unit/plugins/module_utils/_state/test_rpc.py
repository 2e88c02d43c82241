# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real sockets, and somebody behind them in a thread."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc

ID = "0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e"


@contextlib.contextmanager
def answering(listener, answer, until=None):
    """Have somebody read one request, and answer it."""
    heard = []

    def serve():
        link, _address = listener.accept()
        with link:
            if until:
                until.wait(60)
                return
            while data := link.recv(65536):
                heard.append(data)
            link.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield heard
    if until:
        until.set()
    thread.join(60)


@pytest.fixture
def directory(tmp_path):
    return str(tmp_path)


@pytest.fixture
def listener(directory):
    with rpc.listen(directory, ID) as listening:
        yield listening


def test_a_question_and_its_answer(directory, listener):
    with answering(listener, b'{"step": "build", "umlaut": "\\u00e4"}') as heard:
        answer = rpc.ask(rpc.socket_path(directory, ID), {"do": "stand", "text": "two\nlines"})
    assert answer == {"step": "build", "umlaut": "\u00e4"}
    assert b"".join(heard) == b'{"do": "stand", "text": "two\\nlines"}\n'


def test_a_large_answer_comes_whole(directory, listener):
    with answering(listener, b'{"log": "' + b"x" * 3_000_000 + b'"}'):
        assert len(rpc.ask(rpc.socket_path(directory, ID), {"do": "watch"})["log"]) == 3_000_000


@pytest.mark.parametrize("answer", [b"", b"{", b'{"half": "of'])
def test_one_that_ends_before_it_has_answered_is_nobody(directory, listener, answer):
    with answering(listener, answer), pytest.raises(rpc.NobodyError):
        rpc.ask(rpc.socket_path(directory, ID), {"do": "stand"})


def test_one_that_answers_nothing_is_nobody(directory, listener, monkeypatch):
    monkeypatch.setattr(rpc, "TIMEOUT_SECONDS", 0.1)
    silent = answering(listener, b"", threading.Event())
    with silent, pytest.raises(rpc.NobodyError, match="timed out"):
        rpc.ask(rpc.socket_path(directory, ID), {"do": "stand"}, 0.1)


@pytest.mark.parametrize("path", ["deployer-never.sock", "not a folder/deployer-0.sock", "file"])
def test_nobody_is_there(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(rpc.NobodyError):
        rpc.ask(str(tmp_path / path), {"do": "stand"})


def test_who_comes_early_waits(directory, listener):
    answers = []
    path = rpc.socket_path(directory, ID)
    early = threading.Thread(target=lambda: answers.append(rpc.ask(path, {"do": "stand"})))
    early.start()
    early.join(0.1)
    assert early.is_alive()
    with answering(listener, b'{"at": "last"}'):
        pass
    early.join(60)
    assert answers == [{"at": "last"}]


def test_it_is_for_its_owner_alone(directory, listener):
    assert os.stat(rpc.socket_path(directory, ID)).st_mode & 0o777 == 0o600
    before = os.umask(0o022)
    os.umask(before)
    assert before != 0o177


def test_the_path_may_be_long(tmp_path):
    directory = tmp_path / ("d" * 100) / ("e" * 100)
    directory.mkdir(parents=True)
    with rpc.listen(str(directory), ID) as listener, answering(listener, b"{}"):
        assert rpc.ask(rpc.socket_path(str(directory), ID), {"do": "stand"}) == {}


def test_the_sockets_of_the_dead_are_removed(tmp_path, directory, listener):
    with rpc.listen(directory, "killed"):
        pass
    (tmp_path / "deployer.errors").write_text("")
    with rpc.listen(directory, "new"):
        # One that listens may still have a result to give.
        assert sorted(os.listdir(directory)) == [f"deployer-{ID[:12]}.sock", "deployer-new.sock", "deployer.errors"]
    link, _address = listener.accept()
    assert link.recv(1) == b""
    link.close()


def test_where_none_can_be_made_nothing_stays_open(tmp_path, directory, listener):
    before = sorted(os.listdir("/dev/fd"))
    for place in (str(tmp_path / "none"), directory):
        with pytest.raises(OSError, match=r"No such|already in use"):
            rpc.listen(place, ID)
    assert sorted(os.listdir("/dev/fd")) == before
