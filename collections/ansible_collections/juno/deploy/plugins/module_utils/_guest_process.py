# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: children that load the app, bounded in time.

Private to juno.deploy: no stable interface. See _guest_manage for the limits of such a module.

A guest in a throwaway container is the container's first process, which no signal ends by default. So it only waits,
and its children, each of which loads the app anew, do the work: each is ended by an alarm of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._guest_manage import emit

#: What is kept of a command's output.
OUTPUT_BYTES = 20_000


def in_words(exc: BaseException) -> str:
    """Give an exception in one line."""
    text = " ".join(str(exc).split())[:600].rstrip(".")
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__


def fork(work: "t.Callable[[dict[str, t.Any]], None]", request: "dict[str, t.Any]") -> int:
    """Start a child that does C(work), and give its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code: t.Any = 1
    try:
        work(request)
        code = 0
    except SystemExit as exc:
        code = exc.code
    except BaseException as exc:  # noqa: BLE001 - whatever ends the child is told
        traceback.print_exc()
        emit(request, "failure:start", {"what": "", "cause": in_words(exc)})
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # No exit handlers: those of the app belong to a server, and some wait for ever.
        os._exit(code if isinstance(code, int) and 0 <= code < 256 else 1)


def wait(pid: int) -> int:
    """Give a child's return code, negative for the signal that ended it."""
    status = os.waitpid(pid, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def notebook() -> t.Any:
    """Give a file for what a child tells its parent; a pipe could fill up, and a child can die."""
    return tempfile.TemporaryFile("w+", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)  # noqa: S108


def read_notes(notes: t.Any) -> "list[t.Any]":
    """Give what a child told."""
    notes.seek(0)
    return [json.loads(line) for line in notes]


class Command:
    """A program at work in the background, bounded in time."""

    def __init__(self, argv: "list[str]", seconds: float) -> None:
        """Start it."""
        self.ends = time.monotonic() + seconds
        self.files = (notebook(), notebook())
        self.error = ""
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.files[0], stderr=self.files[1])
        except OSError as exc:
            self.error = str(exc)

    def result(self) -> "dict[str, t.Any]":
        """Wait for it and give its return code and what it printed."""
        if self.error:
            return {"rc": 127, "stdout": "", "stderr": self.error}
        try:
            code = self.process.wait(max(0.1, self.ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = -14
        return {"rc": code, "stdout": _text(self.files[0]), "stderr": _text(self.files[1])}


def _text(file: t.Any) -> str:
    file.buffer.seek(0)
    return str(file.buffer.read()[-OUTPUT_BYTES:].decode("utf-8", "replace"))
