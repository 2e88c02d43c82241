# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heart: a table of lives, its words in a real pipe, and its commands in a real shell."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.action import release_begin as it

OUT_OF_REACH = None


class Life:
    """A playbook that runs for some half seconds, and a task that says its word after some."""

    def __init__(self, *, ends, word, says_at, answers=()):
        self.now, self.ends, self.word, self.says_at = 0.0, ends, word, says_at
        self.answers = list(answers)
        self.commands = []

    def runs(self):
        return self.now < self.ends

    def listen(self):
        self.now += 0.5
        return self.word if self.now == self.says_at else it.NOTHING_YET

    def command(self, command):
        self.commands.append((self.now, command.partition(" ")[0]))
        return self.answers.pop(0) if self.answers else 0

    def live(self):
        it.Heart(self.runs, self.command, self.listen, lambda: self.now).beat("/x/alive-one")
        return self.commands


@pytest.mark.parametrize(
    ("life", "commands"),
    [
        pytest.param(
            {"ends": 12, "word": it.HELD, "says_at": 1},
            [(5, "test"), (10, "test"), (12, "rm")],
            id="held until the end",
        ),
        pytest.param({"ends": 99, "word": it.NOT_HELD, "says_at": 1}, [], id="not held"),
        pytest.param({"ends": 99, "word": it.NO_WORD, "says_at": 1}, [(1, "rm")], id="the task died"),
        pytest.param({"ends": 0.5, "word": it.HELD, "says_at": 9}, [(0.5, "rm")], id="killed in the task"),
        pytest.param({"ends": 0, "word": it.HELD, "says_at": 9}, [(0, "rm")], id="killed before"),
        pytest.param(
            {"ends": 99, "word": it.HELD, "says_at": 1, "answers": [0, it.GONE]},
            [(5, "test"), (10, "test")],
            id="given back",
        ),
        pytest.param(
            {"ends": 17, "word": it.HELD, "says_at": 12, "answers": [it.GONE, it.GONE]},
            [(5, "test"), (10, "test"), (15, "test"), (17, "rm")],
            id="a task that takes the lease late",
        ),
        pytest.param(
            {"ends": 17, "word": it.HELD, "says_at": 1, "answers": [OUT_OF_REACH, 1, 255]},
            [(5, "test"), (10, "test"), (15, "test"), (17, "rm")],
            id="a host out of reach",
        ),
    ],
)
def test_lives(life, commands):
    assert Life(**life).live() == commands


def test_a_beat_makes_no_file_that_is_removed_while_it_runs():
    assert it.beat_command("/x/alive-one") == "test -e /x/alive-one || exit 44; touch -c -- /x/alive-one"


@pytest.mark.parametrize("name", ["alive-one", "a b'; touch bad; '"])
def test_the_commands_touch_only_what_is_there(tmp_path, name):
    path = tmp_path / name

    def run(command):
        # As Ansible runs it, which appends something harmless.
        argv = ["/bin/sh", "-c", f"{command} && sleep 0"]
        return subprocess.run(argv, cwd=tmp_path, check=False).returncode

    assert run(it.beat_command(str(path))) == it.GONE
    path.write_text("")
    os.utime(path, (1, 1))
    assert run(it.beat_command(str(path))) == 0
    assert path.stat().st_mtime > 1
    assert [run(it.stop_command(str(path))) for _again in range(2)] == [0, 0]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("said", "heard"), [(it.HELD, it.HELD), (it.NOT_HELD, it.NOT_HELD), ("", it.NO_WORD)])
def test_the_ear_hears_one_word(monkeypatch, said, heard):
    monkeypatch.setattr(it, "LOOK_SECONDS", 0.01)
    hear, speak = os.pipe()
    ear = it.Ear(hear)
    assert ear() == it.NOTHING_YET
    os.write(speak, said.encode())
    os.close(speak)
    assert [ear(), ear()] == [heard, it.NOTHING_YET]
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(hear)


def test_the_controller_has_a_name_also_for_an_id_without_one(monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 4242")

    monkeypatch.setattr(it.getpass, "getuser", nobody)
    monkeypatch.setattr(it.socket, "gethostname", lambda: "laptop")
    assert it.controller() == f"{os.getuid()}@laptop"
