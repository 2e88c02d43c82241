# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles an app's sources. Private to juno.deploy: no stable interface.

It runs as C(python -c <this source> <spec>) in the interpreter that is to read the bytecode, by the rules of a purge
(C(python -m compileall) would walk virtual environments and what is mounted). Standard library only, 3.6 or later.
"""

import importlib.util
import json
import os
import py_compile
import struct
import sys
import typing as t

HEADER = struct.Struct("<4sIII")
LOWEST = 0xFFFFFFFF
MOST_PROCESSES = 4


def sources(directory: str, exclude: "frozenset[str]", virtualenvs: bool) -> "t.Iterator[str]":
    """Return the sources below a directory, on its file system."""
    device = os.stat(directory).st_dev
    for place, directories, files in os.walk(directory):
        if place != directory and (
            (not virtualenvs and "pyvenv.cfg" in files) or os.path.ismount(place) or os.lstat(place).st_dev != device
        ):
            directories[:] = []
            continue
        directories[:] = [name for name in directories if name not in exclude and name != "__pycache__"]
        for name in files:
            if name.endswith(".py"):
                yield os.path.join(place, name)


def is_current(source: str) -> bool:
    """Return whether a source has bytecode already that fits."""
    info = os.stat(source)
    wanted = (importlib.util.MAGIC_NUMBER, 0, int(info.st_mtime) & LOWEST, info.st_size & LOWEST)
    try:
        with open(importlib.util.cache_from_source(source), "rb") as file:
            return HEADER.pack(*wanted) == file.read(HEADER.size)
    except OSError:
        return False


def compile_all(paths: "list[str]") -> "list[int]":
    """Compile what is not current; return how many were compiled, and how many can't be."""
    timestamp: dict[str, t.Any] = {}
    if hasattr(py_compile, "PycInvalidationMode"):  # Python 3.6 has no other, and no name for it
        timestamp["invalidation_mode"] = py_compile.PycInvalidationMode.TIMESTAMP
    done = failed = 0
    for path in paths:
        try:
            if os.path.islink(os.path.dirname(importlib.util.cache_from_source(path))) or not os.path.isfile(path):
                failed += 1  # somebody else's link, through which we would write
            elif not is_current(path):
                py_compile.compile(path, doraise=True, **timestamp)
                done += 1
        except (py_compile.PyCompileError, OSError, ValueError, RecursionError, MemoryError):
            # Templates of code, sources for Python 2, null bytes, a place that can't be written to.
            failed += 1
    return [done, failed]


def share(paths: "list[str]") -> "list[int]":
    """Compile in as many processes as can work at the same time."""
    wanted = min(MOST_PROCESSES, len(os.sched_getaffinity(0)), len(paths) // 20 + 1)
    readers = []
    for number in range(1, wanted):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.write(writer, json.dumps(compile_all(paths[number::wanted])).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        readers.append((pid, reader))
    done, failed = compile_all(paths[::wanted])
    for number, (pid, reader) in enumerate(readers, 1):
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        # A process that died has done some of it: what it says nothing about counts as not compiled.
        more = json.loads(text.decode()) if text else [0, len(paths[number::wanted])]
        done, failed = done + more[0], failed + more[1]
    return [done, failed]


def main() -> None:
    """Do what the spec says, and print how it went."""
    spec = json.loads(sys.argv[1])
    exclude = frozenset(spec["exclude"])
    found = {
        os.path.realpath(path): path
        for directory in spec["directories"]
        if os.path.isdir(directory)
        for path in sources(directory, exclude, spec["virtualenvs"])
    }
    sys.stdout.write("juno " + json.dumps(share(sorted(found.values()))) + "\n")


if __name__ == "__main__":
    main()
