# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in a container that is none, put there and taken out as archives."""

from __future__ import annotations

import io
import posixpath
import tarfile
import typing as t


class FakeFiles:
    """The files of one container by their paths; a folder is there as long as a file is in it."""

    #: What every image has.
    FOLDERS = ("/", "/srv", "/tmp")

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def folders(self) -> list[str]:
        """Return all folders, each before what is in it."""
        found = set(self.FOLDERS)
        for path in self.files:
            while (path := posixpath.dirname(path)) not in found:
                found.add(path)
        return sorted(found)

    def put(self, folder: str, archive: t.BinaryIO) -> None:
        """Unpack an archive in a folder.

        :raises FileNotFoundError: there is no such folder.
        """
        if folder not in self.folders():
            raise FileNotFoundError(folder)
        with tarfile.open(fileobj=archive) as packed:
            for member in packed:
                content = packed.extractfile(member) if member.isfile() else None
                if content:
                    self.files[posixpath.join(folder, member.name)] = content.read()

    def get(self, path: str) -> tuple[t.Iterator[bytes], dict[str, t.Any]]:
        """Pack a file, or a folder with all below it, under its own name.

        :raises FileNotFoundError: there is none.
        """
        inside = {one: self.files.get(one) for one in sorted([*self.folders(), *self.files]) if _is_in(one, path)}
        if path not in inside:
            raise FileNotFoundError(path)
        made, above = io.BytesIO(), posixpath.dirname(path)
        with tarfile.open(fileobj=made, mode="w") as packed:
            for one, content in inside.items():
                member = tarfile.TarInfo(posixpath.relpath(one, above))
                member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
                member.size = len(content or b"")
                packed.addfile(member, io.BytesIO(content or b""))
        whole = made.getvalue()
        return iter([whole[:700], whole[700:]]), {"name": posixpath.basename(path), "size": len(inside[path] or b"")}


def _is_in(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top.rstrip('/')}/")
