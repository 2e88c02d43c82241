# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Pythons there are, by what they write into bytecode. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import subprocess
import sys
import typing as t

#: Where a host's Pythons are, also those that no PATH of ours names.
DIRECTORIES = ("/usr/bin", "/usr/local/bin")
ASK = "import sys, importlib.util as u; print('juno', sys.implementation.cache_tag, u.MAGIC_NUMBER.hex())"
ASK_SECONDS = 10


class Python(t.NamedTuple):
    """What bytecode tells of the Python that wrote it."""

    #: In the name of a file, for example V(cpython-313).
    tag: str
    #: The first four bytes of a file.
    magic: bytes


def parse(printed: str) -> Python | None:
    """Read what C(ASK) printed."""
    found = re.search(r"^juno (\S+) ([0-9a-f]{8})$", printed, re.MULTILINE)
    return Python(found[1], bytes.fromhex(found[2])) if found else None


def executables(directories: t.Sequence[str] = DIRECTORIES) -> list[str]:
    """Name each Python 3 in the directories once, but for the one that runs this."""
    found = {os.path.realpath(sys.executable): ""}
    for directory in directories:
        for path in sorted(glob.glob(os.path.join(glob.escape(directory), "python3*"))):
            if re.fullmatch(r"python3(\.\d+t?)?", os.path.basename(path)):
                found.setdefault(os.path.realpath(path), path)
    return [path for path in found.values() if path]


def on_host(directories: t.Sequence[str] = DIRECTORIES) -> tuple[Python, ...]:
    """Ask this host's Pythons, all at the same time; one that does not answer counts as not there."""
    own = Python(sys.implementation.cache_tag or "", importlib.util.MAGIC_NUMBER)
    asked = [one for one in map(_start, executables(directories)) if one]
    return tuple(dict.fromkeys([own, *(python for python in map(_answer, asked) if python)]))


def _start(path: str) -> subprocess.Popen[str] | None:
    try:
        return subprocess.Popen(
            [path, "-I", "-S", "-c", ASK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except OSError:
        return None


def _answer(process: subprocess.Popen[str]) -> Python | None:
    with process:
        try:
            return parse(process.communicate(timeout=ASK_SECONDS)[0])
        except subprocess.TimeoutExpired:
            process.kill()
            return None
