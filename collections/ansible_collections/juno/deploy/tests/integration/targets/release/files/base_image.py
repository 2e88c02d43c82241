# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a droplet an image with this machine's Django, which is Python only: base_image.py DROPLET."""

from __future__ import annotations

import io
import pathlib
import subprocess
import sys
import tarfile

import django

PACKAGES = ("django", "asgiref", "sqlparse")
#: Of Django, what the site has no use for.
WITHOUT = ("__pycache__", "gis", "admin", "admindocs", "postgres")
LANGUAGES = ("__init__.py", "en")
DOCKERFILE = """\
FROM juno-python:trixie
COPY packages /usr/lib/python3/dist-packages/
RUN python3 -m compileall -q -j 2 /usr/lib/python3/dist-packages/django
"""


def context() -> bytes:
    """Return what the image is made from, as an archive."""
    made, top = io.BytesIO(), pathlib.Path(django.__file__).parent.parent
    # Docker looks at the first 512 bytes to see that it is an archive.
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as packed:
        for name in PACKAGES:
            packed.add(top / name, f"packages/{name}", filter=_wanted)
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(DOCKERFILE)
        packed.addfile(member, io.BytesIO(DOCKERFILE.encode()))
    return made.getvalue()


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = pathlib.PurePath(member.name)
    is_other_language = path.parent.name == "locale" and path.name not in LANGUAGES
    return None if path.name in WITHOUT or is_other_language else member


if __name__ == "__main__":
    words = [
        "docker",
        "exec",
        "--interactive",
        sys.argv[1],
        "docker",
        "build",
        "--quiet",
        "--tag",
        "juno-release-base",
        "-",
    ]
    sys.exit(subprocess.run(words, input=context(), check=False).returncode)
