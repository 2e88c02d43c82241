# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the demo site one with PostgreSQL and a front proxy: make_site.py DEMO_SITE FILES TARGET."""

from __future__ import annotations

import pathlib
import re
import shutil
import sys

DATABASES = """DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "site",
        "USER": "site",
        "PASSWORD": "site",
        "HOST": "db",
    }
}
"""


def main(demo: str, files: str, target: str) -> None:
    """Copy the demo, then what differs."""
    site = pathlib.Path(target)
    shutil.rmtree(site, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__", ".git", "db.sqlite3", "staticfiles", ".env")
    shutil.copytree(demo, site, ignore=unwanted)
    shutil.copytree(files, site, dirs_exist_ok=True)
    settings = site / "demo" / "settings.py"
    text, count = re.subn(r"(?ms)^DATABASES = \{$.*?^\}\n", DATABASES, settings.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit("The demo's settings have no DATABASES that is known.")
    settings.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
