# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run programs from argv lists, bounded in time. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import tempfile
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError, TookTooLongError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Programs must speak untranslated and never wait for a person at a terminal.
QUIET_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "GIT_TERMINAL_PROMPT": "0",
    "COMPOSE_ANSI": "never",
    "COMPOSE_PROGRESS": "plain",
    # C(_app.left_over) tells of orphans; a removal in the middle of a release would take them from its undo.
    "COMPOSE_IGNORE_ORPHANS": "1",
    "COMPOSE_REMOVE_ORPHANS": "0",
    "BUILDKIT_PROGRESS": "plain",
}
LOOK_SECONDS = 0.01
#: Where the line is looked for that a program prints last.
LAST_BYTES = 4096
#: What a program prints is read in pieces; a line without an end is given away when it has grown to so much.
CHUNK_BYTES = 65536
#: A program that is told to end may tidy up for so long: git removes its locks.
END_SECONDS = 1.5

#: Is given the lines that a program has printed since the last look.
OnLines = t.Callable[["Sequence[str]"], object]


@dataclasses.dataclass(frozen=True)
class CommandResult:
    """How a program ended and what it printed."""

    cmd: list[str]
    rc: int
    stdout: str
    stderr: str

    @property
    def last_words(self) -> str:
        """The last line of its errors (or of its output) that is not empty: usually the cause."""
        for stream in (self.stderr, self.stdout):
            lines = [line.strip() for line in stream.splitlines() if line.strip()]
            if lines:
                return lines[-1]
        return "it printed nothing"

    def require(self, message: str, **details: t.Any) -> CommandResult:
        """Return itself when the program succeeded.

        :raises CommandError: it failed; C({cause}) in the message stands for the last line it printed.
        """
        if self.rc:
            raise self.error(message.replace("{cause}", self.last_words.rstrip(".")), **details)
        return self

    def error(self, message: str, rc: int | None = None, **details: t.Any) -> CommandError:
        """Return an error with what the program printed.

        :param rc: that of a step within the program, where it told one.
        """
        code = self.rc if rc is None else rc
        return CommandError(message, cmd=self.cmd, rc=code, stdout=self.stdout, stderr=self.stderr, **details)


class Runner(t.Protocol):
    """What runs a program: C(run_command) here, a recorded answer in unit tests."""

    def __call__(
        self,
        argv: list[str],
        *,
        cwd: str | None = None,
        timeout_seconds: float = 60,
        last: str = "",
        on_lines: OnLines | None = None,
        stdin: t.IO[bytes] | None = None,
    ) -> CommandResult:
        """Run C(argv) in C(cwd)."""


def run_command(
    argv: list[str],
    *,
    cwd: str | None = None,
    timeout_seconds: float = 60,
    last: str = "",
    on_lines: OnLines | None = None,
    stdin: t.IO[bytes] | None = None,
) -> CommandResult:
    """Run C(argv) in C(cwd) without a shell, and without input unless an opened file is given.

    Whatever is raised meanwhile, as in a process that is told to end, ends the program and all that it has started.

    :param last: the beginning of the last line that counts: a program that has printed it is taken for one that has
        succeeded, and left to end by itself.
    :param on_lines: is given the lines of both its outputs while it prints them.
    :raises JunoError: the program is missing, or takes longer than allowed (it is ended then).
    """
    try:
        if last or on_lines:
            return _watch(argv, cwd, timeout_seconds, last, on_lines)
        with _started(argv, cwd, subprocess.PIPE, subprocess.PIPE, stdin) as process:
            out, errors = process.communicate(timeout=timeout_seconds)
            return CommandResult(argv, process.returncode, _text(out), _text(errors))
    except FileNotFoundError as exc:
        missing = cwd if cwd and not os.path.isdir(cwd) else argv[0]
        raise JunoError(
            f"'{missing}' is not on this host: install it, or run the playbook juno.deploy.provision."
        ) from exc
    except subprocess.TimeoutExpired as exc:
        raise TookTooLongError(
            f"'{' '.join(argv[:3])}' took longer than {timeout_seconds:g} s and was stopped.",
            cmd=argv,
            stdout=_text(exc.stdout),
            stderr=_text(exc.stderr),
        ) from exc


def _around(argv: list[str], cwd: str | None) -> dict[str, t.Any]:
    environment = {**os.environ, **QUIET_ENVIRONMENT, **git_environment.git.variables(os.environ)}
    owner = git_environment.git.user(argv)
    if owner and shutil.which(argv[0]):
        # From a place that everybody may look at.
        argv, cwd, environment = [*owner.command(), *argv], cwd or "/", owner.environment(environment)
    return {"args": argv, "cwd": cwd, "env": environment}


@contextlib.contextmanager
def _started(
    argv: list[str], cwd: str | None, out: t.Any, errors: t.Any, stdin: t.IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program, and end it when anything is raised."""
    process = subprocess.Popen(**_around(argv, cwd), stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=errors)
    try:
        yield process
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it has started: docker's compose is a child of the docker that was called."""
    if process.returncode is not None:
        return
    try:
        if processes.HAS_PROC:
            with contextlib.suppress(PermissionError):
                processes.end(processes.identify(process.pid), END_SECONDS)
    finally:
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdout, process.stderr)):
            pipe.close()


def _watch(
    argv: list[str], cwd: str | None, timeout_seconds: float, last: str, on_lines: OnLines | None
) -> CommandResult:
    # Into files: a pipe that nobody reads any more would kill the program, which may still have to tidy up.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        printed = [_Lines(file, on_lines) for file in (out, errors) if on_lines]
        with _started(argv, cwd, out, errors) as process:
            pause, ends = threading.Event(), time.monotonic() + timeout_seconds
            while True:
                code = process.poll()
                if code is None and last and _has_line(out, last):
                    code = process.returncode = 0
                for one in printed:
                    one.give(whole=code is not None)
                if code is not None:
                    return CommandResult(argv, code, _text(_read(out)), _text(_read(errors)))
                if time.monotonic() > ends:
                    _end(process)
                    raise subprocess.TimeoutExpired(argv, timeout_seconds, _read(out), _read(errors))
                pause.wait(LOOK_SECONDS)


class _Lines:
    """The lines that a program writes into a file, given away as they come."""

    def __init__(self, file: t.IO[bytes], on_lines: OnLines) -> None:
        self._file, self._on_lines = file, on_lines
        self._place, self._rest = 0, b""

    def give(self, *, whole: bool) -> None:
        """Give away the lines that have come since the last time; the last one too, when the text is C(whole)."""
        lines: list[bytes] = []
        while chunk := os.pread(self._file.fileno(), CHUNK_BYTES, self._place):
            self._place += len(chunk)
            *come, self._rest = (self._rest + chunk).split(b"\n")
            lines += come
            if len(self._rest) > CHUNK_BYTES:
                lines, self._rest = [*lines, self._rest], b""
        if whole and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        if lines:
            self._on_lines([_text(line).rstrip("\r") for line in lines])


def _has_line(file: t.IO[bytes], begins: str) -> bool:
    """Return whether one of the last lines begins so, and is a whole one."""
    lines = (b"\n" + _read(file, LAST_BYTES)).split(b"\n")
    return any(line.startswith(begins.encode()) for line in lines[1:-1])


def _read(file: t.IO[bytes], last_bytes: int | None = None) -> bytes:
    """Read what a program has written; its own place in the file stays."""
    size = os.fstat(file.fileno()).st_size
    count = size if last_bytes is None else min(size, last_bytes)
    return os.pread(file.fileno(), count, size - count)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")
