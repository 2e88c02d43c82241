# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give the site its further views and ports: add_views.py SITE. Its compose file is another matter."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
OWN = '    path("", include("jobs.urls")),\n'


def main(site: pathlib.Path) -> None:
    """Copy the views and the server, and name them."""
    shutil.copy(HERE / "request_views.py", site / "demo" / "request_views.py")
    shutil.copy(HERE / "banner.py", site / "banner.py")
    with (site / ".gitignore").open("a", encoding="utf-8") as ignored:
        ignored.write("killed.log\n")
    urls = site / "demo" / "urls.py"
    text = urls.read_text(encoding="utf-8")
    views = '    path("requests/", include("demo.request_views")),\n'
    urls.write_text(text.replace(OWN, views + OWN), encoding="utf-8")
    subprocess.run(["git", "-C", str(site), "add", "--all"], check=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
