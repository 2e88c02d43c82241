#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same on a site of some weight: 1,800 static files, 20 ms of processor for each page, 2 s to load its code.

- template, both (with the style sheet), docs: quick_deploy.yml beside the guide's quick procedure
- full: both, by deploy.yml beside the guide's procedure with a rebuild

The slowest in a hundred requests while ours runs may take twice as long as before it. Exit code 1: a goal was missed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bench import kinds
from bench.kinds import Case, Plan
from bench.side_by_side import SHELL, WORK
from bench.site import ROOT
from droplet.process import DropletError

CASES = {
    "template": Case("template", 0.3, 0.25, p99=2),
    "both": Case("both", 0.3, 0.3, p99=2),
    "docs": Case("docs", 0.1, 0.1),
    "full": Case("both", 0.5, 0.5, guide=SHELL, ours="rolling", p99=2),
}
#: 70 of 100 are images of 3,000 bytes, 25 scripts and 5 style sheets (which name an image) of 1,500 bytes.
FILES, FOLDERS = 1800, 18
_WEIGHT = """\
\"\"\"What the site does that takes its time.\"\"\"

import time


def work(seconds):
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass


def page(get_response):
    def answer(request):
        work(0.02)
        return get_response(request)

    return answer
"""
_FIRST = '"django.middleware.cache.UpdateCacheMiddleware",'


def make(folder: Path) -> Path:
    """Make the site's sources in a folder of its own, and return it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "examples/demo_site", folder)
    (folder / "demo/weight.py").write_text(_WEIGHT, encoding="utf-8")
    _change(folder / "demo/settings.py", _FIRST, f'"demo.weight.page",\n    {_FIRST}')
    urls = folder / "demo/urls.py"
    urls.write_text(f"{urls.read_text(encoding='utf-8')}\nfrom demo.weight import work\n\nwork(2)\n", encoding="utf-8")
    for number in range(FILES):
        place = folder / f"static/many/{number % FOLDERS}"
        place.mkdir(parents=True, exist_ok=True)
        if number % 100 < 70:
            (place / f"{number}.svg").write_text(f"<svg><!-- {number} {'x' * 2980} --></svg>", encoding="utf-8")
        elif number % 100 < 95:
            (place / f"{number}.js").write_text(f"const number{number} = 0; // {'x' * 1460}\n", encoding="utf-8")
        else:
            image = f"../{(number - number % 100) % FOLDERS}/{number - number % 100}.svg"
            text = f".number{number} {{ background: url({image}) }} /* {'x' * 1430} */\n"
            (place / f"{number}.css").write_text(text, encoding="utf-8")
    return folder


def _change(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    if before not in text:
        raise ValueError(f"{file} has no '{before}', before which the weight is to be put.")
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(kinds.main(Plan(CASES, "heavy", 10, make(WORK / "heavy_site")), __doc__))
    except DropletError as exc:
        sys.exit(f"Error: {exc}")
