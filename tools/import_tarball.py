# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let galaxy-importer judge the newest built tarball, as Galaxy does when one is published."""

from __future__ import annotations

import pathlib
import subprocess
import sys


def newest(folder: pathlib.Path) -> pathlib.Path:
    """Return the tarball that was built last.

    :raises FileNotFoundError: there is none.
    """
    built = sorted(folder.glob("*.tar.gz"), key=lambda file: file.stat().st_mtime)
    if not built:
        raise FileNotFoundError(f"No tarball is in {folder}: run 'make build'.")
    return built[-1]


def main(folder: pathlib.Path) -> int:
    """Import it; the importer tells a refusal only in its output."""
    tarball = newest(folder)
    argv = [sys.executable, "-m", "galaxy_importer.main", tarball.name]
    done = subprocess.run(argv, cwd=folder, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout)
    accepted = done.returncode == 0 and "Importer processing completed successfully" in done.stdout
    if not accepted:
        print(f"galaxy-importer refuses {tarball.name}.")
    return 0 if accepted else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
