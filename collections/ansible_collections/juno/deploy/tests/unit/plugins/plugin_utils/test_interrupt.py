# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real ansible-playbook in a terminal of its own, ended by Ctrl-C as the terminal sends it, or by another signal."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.juno.deploy.plugins.plugin_utils import _interrupt as it

WORDS = "Cancelled in the switch. The droplets go back to 384e487 by themselves. Watch: playbooks/status.yml"
CTRL_C = b"\x03"
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  strategy: {strategy}
  vars: {{ansible_python_interpreter: "{python}"}}
  tasks:
    - switch: {{words: "{words}", seconds: "{seconds}"}}
    - name: A hook of one's own
      command: sh -c "touch hook && sleep 30"
      args: {{chdir: "{{{{ playbook_dir }}}}"}}
"""
ACTION = """\
import pathlib, time
from ansible.plugins.action import ActionBase
from ansible_collections.juno.deploy.plugins.plugin_utils import _interrupt

_interrupt.listen()


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        _interrupt.say_if_cancelled(task_vars["inventory_hostname"], self._task.args["words"])
        _interrupt.show("At work")
        until = time.monotonic() + float(self._task.args["seconds"])
        while time.monotonic() < until:
            if _interrupt.playbook_ended():
                pathlib.Path("ended").touch()
                break
            time.sleep(0.05)
        return {}
"""
#: Gives a process the terminal that is its input, as a login does.
IN_TERMINAL = """\
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
# The terminal of a shell stays when the playbook ends.
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""
IN_A_WORKER = """\
import multiprocessing, signal
from ansible_collections.juno.deploy.plugins.plugin_utils import _interrupt

def listens():
    before = signal.getsignal(signal.SIGINT)
    _interrupt.listen()
    print(signal.getsignal(signal.SIGINT) is not before, flush=True)

worker = multiprocessing.get_context("fork").Process(target=listens)
worker.start()
worker.join()
listens()
"""


class Terminal:
    """An ansible-playbook, and what its terminal shows."""

    def __init__(self, folder: pathlib.Path, words: str, seconds: int, strategy: str) -> None:
        (folder / "action_plugins").mkdir()
        (folder / "action_plugins" / "switch.py").write_text(ACTION)
        playbook = PLAYBOOK.format(words=words, seconds=seconds, strategy=strategy, python=sys.executable)
        (folder / "site.yml").write_text(playbook)
        (folder / "ansible.cfg").write_text("[defaults]\nnocolor = true\n")
        ansible = [sys.executable, "-m", "ansible.cli.playbook"]
        self.shown = ""
        self._screen, inside = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL, *ansible, "-i", "h1,h2,", "-c", "local", str(folder / "site.yml")],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            cwd=folder,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
                "ANSIBLE_HOME": str(folder / "home"),
                "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(it.__file__).parents[5]),
                "LC_ALL": "C.UTF-8",
            },
        )
        os.close(inside)

    def read_until(self, text: str, times: int = 1) -> None:
        """Read what is shown until the text is, so many times."""
        while self.shown.count(text) < times:
            assert self._read(), self.shown

    def read_to_end(self) -> None:
        """Read what is shown until the last process has closed the terminal."""
        while self._read():
            pass

    def _read(self) -> bool:
        assert select.select([self._screen], [], [], 60)[0], self.shown
        try:
            chunk = os.read(self._screen, 65536)
        except OSError:  # So Linux says that nobody has it open any more.
            chunk = b""
        self.shown += chunk.decode().replace("\r", "")
        return bool(chunk)

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._screen, key)

    def close(self) -> None:
        """End what is left."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        os.close(self._screen)


def wait_for(path):
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path):
    opened = []

    def start(words=WORDS, seconds=30, strategy="linear"):
        opened.append(Terminal(tmp_path, words, seconds, strategy))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    ("seconds", "strategy", "words"),
    [
        pytest.param(30, "free", WORDS, id="in a step"),
        pytest.param(0, "linear", WORDS, id="between our tasks"),
        pytest.param(30, "linear", "", id="nothing is left to happen"),
    ],
)
def test_ctrl_c_ends_with_the_words_of_both_hosts_said_once(start, tmp_path, seconds, strategy, words):
    terminal = start(words, seconds, strategy)
    terminal.read_until("At work", times=2)
    if not seconds:
        wait_for(tmp_path / "hook")
    terminal.press(CTRL_C)
    terminal.read_to_end()
    assert terminal.process.wait(20) == 99
    said = terminal.shown.partition("User interrupted execution")[2].split("\n")
    assert [line for line in said if line] == ([words] if words else [])


def test_sigterm_to_the_main_process_alone_is_answered_too(start):
    terminal = start()
    terminal.read_until("At work", times=2)
    terminal.process.terminate()
    terminal.read_to_end()
    assert terminal.process.wait(20) == -signal.SIGTERM
    assert terminal.shown.rstrip().endswith(f"\n{WORDS}")
    assert terminal.shown.count(WORDS) == 1


def test_a_worker_sees_that_its_playbook_was_killed(start, tmp_path):
    terminal = start()
    terminal.read_until("At work", times=2)
    terminal.process.kill()
    wait_for(tmp_path / "ended")


def test_a_worker_does_not_listen():
    path = os.pathsep.join([str(pathlib.Path(it.__file__).parents[5]), *sys.path])
    argv, environment = [sys.executable, "-c", IN_A_WORKER], {**os.environ, "PYTHONPATH": path}
    result = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.split() == ["False", "True"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, []),
        ({"h1": "Back."}, ["Back."]),
        ({"h2": "Back.", "h1": "Back."}, ["Back."]),
        ({"h3": "Done.", "h2": "Back.", "h1": "Back."}, ["h1, h2: Back.", "h3: Done."]),
    ],
)
def test_lines(words, said):
    assert it.lines(words) == said


def test_words_are_kept_by_host_and_taken_away_once(monkeypatch, tmp_path):
    monkeypatch.setattr(it.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    it.say_if_cancelled("web/1 %", "First.")
    it.say_if_cancelled("web/1 %", "Second.")
    it.say_if_cancelled("h2", "Forgotten.")
    it.say_if_cancelled("h2", "")
    assert it._take_words() == {"web/1 %": "Second."}
    assert it._take_words() == {}


def test_words_that_can_not_be_kept_fail_no_deploy(monkeypatch, tmp_path):
    monkeypatch.setattr(it.constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "nosuch"))
    it.say_if_cancelled("h1", "Back.")
    it.say_if_cancelled("h1", "")
    assert it._take_words() == {}
