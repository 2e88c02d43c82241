# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands: argv lists, bounded in time, with the output kept where it can be read."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
import typing as t


class DropletError(Exception):
    """What went wrong, where, and what to do: one sentence for a person."""


def say(text: str) -> None:
    """Tell the person what happens. On stderr: stdout is for results."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run(
    argv: t.Sequence[str | os.PathLike[str]],
    *,
    timeout_seconds: float = 120,
    log: pathlib.Path | None = None,
    env: t.Mapping[str, str] | None = None,
    cwd: pathlib.Path | None = None,
) -> str:
    """Run a command and give its stdout; with C(log), all its output goes to that file instead.

    :raises DropletError: it can't be run, fails, or takes longer than allowed.
    """
    try:
        done = attempt(argv, timeout_seconds=timeout_seconds, log=log, env=env, cwd=cwd)
    except subprocess.TimeoutExpired as exc:
        raise DropletError(f"'{_line(argv)}' took longer than {timeout_seconds:g} s{_where(log)}.") from exc
    except FileNotFoundError as exc:
        raise DropletError(f"The command '{os.fspath(argv[0])}' is not installed on this machine.") from exc
    if done.returncode:
        last = (done.stderr or "").strip()[-1500:]
        said = f": {last}" if last else "."
        raise DropletError(f"'{_line(argv)}' ended with code {done.returncode}{_where(log)}{said}")
    return done.stdout or ""


def attempt(
    argv: t.Sequence[str | os.PathLike[str]],
    *,
    timeout_seconds: float = 120,
    log: pathlib.Path | None = None,
    env: t.Mapping[str, str] | None = None,
    cwd: pathlib.Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command whose failure is an answer too; the caller reads the return code."""
    merged = {**os.environ, **(env or {})}
    if log is None:
        return subprocess.run(
            argv,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
            env=merged,
            cwd=cwd,
        )
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as out:
        return subprocess.run(
            argv,
            check=False,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
            env=merged,
            cwd=cwd,
        )


def wait_until(answers: t.Callable[[], bool], *, timeout_seconds: float, every_seconds: float = 0.1) -> bool:
    """Ask until the answer is yes or the time is up; return which it was."""
    end = time.monotonic() + timeout_seconds
    while not answers():
        if time.monotonic() >= end:
            return False
        time.sleep(every_seconds)
    return True


def _line(argv: t.Sequence[str | os.PathLike[str]]) -> str:
    line = " ".join(os.fspath(word) for word in argv)
    return line if len(line) <= 160 else f"{line[:157]}..."


def _where(log: pathlib.Path | None) -> str:
    return f" (its output is in {log})" if log else ""
