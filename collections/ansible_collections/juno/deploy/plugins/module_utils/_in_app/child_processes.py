# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: children that load the app, bounded in time.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

In a throwaway container this code is the container's first process, which no signal ends by default. So it only waits,
and its children do the work: each loads the app by itself, and is ended by an alarm of its own. Django itself, without
anything of the app, it may load once for all of them.
"""

import contextlib
import importlib
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import typing as t
import warnings

from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import emit, find_modules

#: What is kept of a command's output.
OUTPUT_BYTES = 20_000
#: What every child loads of Django, by a few names that bring in the rest; none needs settings. No backend of a
#: database is among it: an app may still want another SQLite in the place of Python's.
FRAMEWORK = (
    "django.core.management",
    "django.db.models",
    "django.core.handlers.wsgi",
    "django.core.servers.basehttp",
    "django.db.migrations.executor",
    "django.contrib.staticfiles.management.commands.collectstatic",
)


def in_words(exc: BaseException) -> str:
    """Return an exception in one line."""
    text = " ".join(str(exc).split())[:600].rstrip(".")
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__


def preload(request: "dict[str, t.Any]") -> None:
    """Load Django for all children to come, and nothing of the app: that is for each of them alone."""
    find_modules(request)
    # Nameless, the app's settings can't be loaded: what wants them raises ImproperlyConfigured.
    named = os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    try:
        passed = (ImportError, importlib.import_module("django.core.exceptions").ImproperlyConfigured)
        with warnings.catch_warnings():
            # Python may be told to raise them; the check command gives them.
            warnings.simplefilter("ignore")
            for name in FRAMEWORK:
                # This Django lacks it, or wants settings for it: the child that needs it loads it, or tells the error.
                with contextlib.suppress(*passed):
                    importlib.import_module(name)
    except ImportError:  # no Django at all: the first child tells it
        pass
    finally:
        if named is not None:
            os.environ["DJANGO_SETTINGS_MODULE"] = named


def leave(code: int) -> t.NoReturn:
    """End this process without exit handlers, and without the time that it takes to clear away all of Django."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def fork(work: "t.Callable[[dict[str, t.Any]], None]", request: "dict[str, t.Any]") -> int:
    """Start a child that does C(work), and return its process id."""
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
        # No exit handlers: those of the app belong to a server, and some wait for ever.
        leave(code if isinstance(code, int) and 0 <= code < 256 else 1)


def wait(pid: int) -> int:
    """Return a child's return code, negative for the signal that ended it."""
    status = os.waitpid(pid, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


class Waiting:
    """A child that gets ready by itself, and does the rest only when it is let."""

    def __init__(
        self, work: "t.Callable[[dict[str, t.Any], t.Callable[[], None]], None]", request: "dict[str, t.Any]"
    ) -> None:
        """Start it; C(work) is handed what it must call before it does the rest."""
        self.gate = os.pipe()
        self.pid = fork(lambda request: self._begin(work, request), request)

    def _begin(
        self, work: "t.Callable[[dict[str, t.Any], t.Callable[[], None]], None]", request: "dict[str, t.Any]"
    ) -> None:
        # As long as it could write itself, it would not see the end of its parent.
        os.close(self.gate[1])
        work(request, self._stand)

    def _stand(self) -> None:
        # Its time is for its own work, not for what it waits for.
        left = signal.alarm(0)
        if not os.read(self.gate[0], 1):
            raise SystemExit(1)
        signal.alarm(left)

    def end(self, let: bool) -> "int | None":
        """Let it do the rest and give its return code, or end it."""
        if let:
            os.write(self.gate[1], b"+")
            return wait(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        wait(self.pid)
        return None


def notebook() -> t.Any:
    """Return a file for what a child tells its parent; a pipe could fill up, and a child can die."""
    return tempfile.TemporaryFile("w+", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)  # noqa: S108


def read_notes(notes: t.Any) -> "list[t.Any]":
    """Return what a child told."""
    notes.seek(0)
    return [json.loads(line) for line in notes]


class Command:
    """A program at work in the background, bounded in time."""

    def __init__(self, argv: "list[str]", seconds: float, environment: "dict[str, str] | None" = None) -> None:
        """Start it, in this process's environment or another."""
        self.ends = time.monotonic() + seconds
        self.files = (notebook(), notebook())
        self.error = ""
        try:
            out, err = self.files
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
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


def is_manage(argv: "list[str]") -> bool:
    """Return whether a command is what a person types to run manage.py, by the interpreter that runs this."""
    if len(argv) < 2 or argv[0] not in ("python", "python3") or os.path.basename(argv[1]) != "manage.py":
        return False
    found = shutil.which(argv[0])
    return bool(found) and os.path.dirname(str(found)) == os.path.dirname(sys.executable)


class Manage:
    """A manage.py at work in a child, which has Django loaded already: half of what it costs to start one."""

    def __init__(
        self, argv: "list[str]", request: "dict[str, t.Any]", first: "t.Callable[[], None]" = lambda: None
    ) -> None:
        """Start it, with C(first) done before; it ends when the request's C(timeout_seconds) are over."""
        self.argv = argv
        self.first = first
        self.files = (notebook(), notebook())
        self.pid = fork(self._run, request)

    def _run(self, request: "dict[str, t.Any]") -> None:
        signal.alarm(request["timeout_seconds"])
        null = os.open(os.devnull, os.O_RDONLY)
        for standard, is_now in enumerate((null, *(file.fileno() for file in self.files))):
            os.dup2(is_now, standard)
        sys.argv = self.argv[1:]
        with contextlib.suppress(ImportError):  # without Django it is its own affair
            self.first()
        try:
            runpy.run_path(self.argv[1], run_name="__main__")
        except SystemExit as exc:
            if exc.code is not None and not isinstance(exc.code, int):
                sys.stderr.write(f"{exc.code}\n")
                raise SystemExit(1) from None
            raise SystemExit(exc.code or 0) from None
        except BaseException as exc:  # noqa: BLE001 - as Python does with whatever a script raises
            trace = exc.__traceback__
            while trace and trace.tb_frame.f_code.co_filename != self.argv[1]:
                trace = trace.tb_next  # what is ours is nobody's concern
            traceback.print_exception(type(exc), exc, trace)
            raise SystemExit(1) from None

    def result(self) -> "dict[str, t.Any]":
        """Wait for it and give its return code and what it printed."""
        return {"rc": wait(self.pid), "stdout": _text(self.files[0]), "stderr": _text(self.files[1])}


def _text(file: t.Any) -> str:
    file.buffer.seek(0)
    return str(file.buffer.read()[-OUTPUT_BYTES:].decode("utf-8", "replace"))
