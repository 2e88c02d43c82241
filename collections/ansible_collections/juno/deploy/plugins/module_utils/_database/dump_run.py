# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program on the host or in a container, and write what it prints to a file, bounded in time and size.

Private to juno.deploy: no stable interface.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.command import QUIET_ENVIRONMENT
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, TookTooLongError
from ansible_collections.juno.deploy.plugins.module_utils._database import backup

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK_BYTES = 64 * 1024
#: After so many bytes it is looked again whether the disk still has room.
LOOK_BYTES = 16 * 1024 * 1024
#: What is kept of a program's errors, and of the end of its output.
LAST_BYTES = 4096
#: For a program that was told to end.
END_SECONDS = 10
#: How far a dump is, is told so often.
TELL_SECONDS = 3
#: The descriptors of a program's output, as the Engine numbers them.
STDOUT, STDERR = 1, 2


class Stream(t.Protocol):
    """A program that is at work."""

    def chunks(self) -> Iterator[bytes]:
        """Return what it prints, until it closes its output."""

    def end(self) -> tuple[int, str]:
        """Return its return code and the end of its errors, once all was read."""

    def stop(self) -> None:
        """End it: where it goes on, it holds locks that the migrations would wait for."""


class HostStream:
    """A program on the host; C(cleanup) is called when it had to be stopped."""

    def __init__(
        self, argv: list[str], environment: dict[str, str], cleanup: Callable[[], None] = lambda: None
    ) -> None:
        """Start it, with variables beside those of this process."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it stays as long as the program
        self._cleanup = cleanup
        self._process = subprocess.Popen(
            argv,
            env={**os.environ, **QUIET_ENVIRONMENT, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def chunks(self) -> Iterator[bytes]:
        """Return what it prints."""
        output = t.cast("t.IO[bytes]", self._process.stdout)
        while chunk := os.read(output.fileno(), CHUNK_BYTES):
            yield chunk

    def end(self) -> tuple[int, str]:
        """Return its return code and the end of its errors."""
        code = self._process.wait(END_SECONDS)
        size = os.fstat(self._errors.fileno()).st_size
        count = min(size, LAST_BYTES)
        return code, os.pread(self._errors.fileno(), count, size - count).decode("utf-8", "replace")

    def stop(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        self._cleanup()


class ContainerStream:
    """A program in a container that runs already."""

    def __init__(
        self, client: t.Any, container: engine.Container, argv: list[str], environment: dict[str, str]
    ) -> None:
        """Start it; the variables go to the Engine by its socket, so that no list of processes shows them."""
        self._client = client
        self._program = argv[0]
        self._errors = b""
        with engine.errors_as(f"The program {argv[0]} could not be started in the container {container.name}"):
            self._id = client.api.exec_create(container.id, argv, environment=environment)["Id"]
            self._output = client.api.exec_start(self._id, stream=True, demux=True)

    def chunks(self) -> Iterator[bytes]:
        """Return what it prints."""
        for out, errors in self._output:
            if errors:
                self._errors = (self._errors + errors)[-LAST_BYTES:]
            if out:
                yield out

    def end(self) -> tuple[int, str]:
        """Return its return code and the end of its errors."""
        with engine.errors_as("The Docker Engine does not say how a program in a container ended"):
            code = self._client.api.exec_inspect(self._id)["ExitCode"]
        return (1 if code is None else int(code)), self._errors.decode("utf-8", "replace")

    def stop(self) -> None:
        """Kill it: the Engine lets a program go on whose client has gone, so its process on the host is told."""
        with engine.errors_as("The Docker Engine does not say which process a program in a container is"):
            seen = self._client.api.exec_inspect(self._id)
        # The number may be of another host, where the Engine is not here.
        if seen.get("Running") and seen.get("Pid") and is_process(seen["Pid"], self._program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(seen["Pid"], signal.SIGKILL)


def is_process(pid: int, program: str) -> bool:
    """Return whether a process of this host runs a program, itself or as a script."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")[:3]
    except OSError:
        return False
    return os.fsencode(program) in (os.path.basename(word) for word in words)


class ProgramError(OSError):
    """A program that dumps ended badly."""

    def __init__(self, code: int, errors: str) -> None:
        """Say how."""
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        super().__init__("; ".join(lines[-3:]) or f"it ended with {code} and printed nothing")
        self.code = code


def save(
    start: Callable[[], Stream],
    directory: str,
    name: str,
    *,
    seconds: float,
    compress: bool,
    whole: Callable[[bytes, bytes], bool],
) -> int:
    """Write what a program prints to a new file below a directory, and return the file's size.

    :param whole: says of the first and the last bytes that were printed whether that is all of it.
    :raises TookTooLongError: it was stopped, since it took longer than allowed.
    :raises OSError: it failed, there is no room, or what it printed is not whole; then there is no file.
    """
    with contextlib.ExitStack() as files:
        _part, handle = files.enter_context(backup.whole(directory, name))
        raw = files.enter_context(open(handle, "wb", closefd=False))
        stream = start()
        try:
            if compress:
                with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, filename="", mtime=0) as packed:
                    first, last = _copy(stream, packed, raw, directory, seconds)
            else:
                first, last = _copy(stream, raw, raw, directory, seconds)
        except BaseException:
            # An Engine that fails here too is not what people are to be told.
            with contextlib.suppress(EngineError):
                stream.stop()
            raise
        code, errors = stream.end()
        if code:
            raise ProgramError(code, errors)
        if not whole(first, last):
            raise ProgramError(code, errors or "what it printed is not whole")
        raw.flush()
        return os.fstat(handle).st_size


def _read_in_background(stream: Stream, cancelled: threading.Event) -> queue.Queue[bytes | Exception | None]:
    """Return a queue of what a program prints, then nothing, or the error that ended the reading."""
    box: queue.Queue[bytes | Exception | None] = queue.Queue(maxsize=16)

    def put(value: bytes | Exception | None) -> None:
        while not cancelled.is_set():
            with contextlib.suppress(queue.Full):
                box.put(value, timeout=1)
                return

    def read() -> None:
        try:
            for chunk in stream.chunks():
                put(chunk)
            put(None)
        except Exception as exc:  # noqa: BLE001 - it is raised where it is waited for
            put(exc)

    # A read from the Engine's socket has no time limit of its own: a daemon thread does the waiting.
    threading.Thread(target=read, daemon=True).start()
    return box


def _copy(stream: Stream, target: t.Any, raw: t.BinaryIO, directory: str, seconds: float) -> tuple[bytes, bytes]:
    """Copy until the program closes its output; return the first and the last bytes of it."""
    cancelled = threading.Event()
    box = _read_in_background(stream, cancelled)
    ends = time.monotonic() + seconds
    first = last = b""
    since = written = 0
    try:
        while True:
            try:
                chunk = box.get(timeout=max(0.01, ends - time.monotonic()))
            except queue.Empty:
                chunk = b""
            if isinstance(chunk, Exception):
                raise chunk
            if chunk is None:
                return first, last
            if time.monotonic() >= ends:
                raise TookTooLongError(f"it took longer than {seconds:g} s and was stopped")
            first = first or chunk[:LAST_BYTES]
            last = (last + chunk)[-LAST_BYTES:]
            target.write(chunk)
            since, written = since + len(chunk), written + len(chunk)
            events.tell(f"dumps the database: {written >> 20} MiB so far", after_seconds=TELL_SECONDS)
            if since >= LOOK_BYTES:
                since = 0
                raw.flush()
                backup.require_room(directory, 0)
    finally:
        cancelled.set()
