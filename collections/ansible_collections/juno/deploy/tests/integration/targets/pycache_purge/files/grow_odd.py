# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grow a tree with names that break naive tools: newline, bytes that are no UTF-8, 255 bytes, very deep."""

from __future__ import annotations

import os
import sys

DEPTH = 1200


def grow(root: bytes) -> None:
    for name in (b"new\nline", b"\xff\xfe", b"n" * 251, b"-rf", b"$(id)"):
        cache = os.path.join(root, name, b"__pycache__")
        os.makedirs(cache)
        with open(os.path.join(cache, name + b".pyc"), "wb") as file:
            file.write(b"0123456789")
    fd = os.open(root, os.O_RDONLY)
    for _level in range(DEPTH):
        os.mkdir("deeper", dir_fd=fd)
        below = os.open("deeper", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("m.pyc", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)


grow(os.fsencode(sys.argv[1]))
