# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a file of tasks for each hook, which notes on the droplet that it ran: write_hooks.py FOLDER NOTES HOOK..."""

from __future__ import annotations

import json
import pathlib
import sys


def main(folder: str, notes: str, *hooks: str) -> None:
    """Write them; JSON is YAML too."""
    where = pathlib.Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    for hook in hooks:
        line = {"path": notes, "line": hook, "create": True, "mode": "0600"}
        tasks = [{"name": f"Note that {hook} ran", "ansible.builtin.lineinfile": line}]
        (where / f"{hook}.yml").write_text(json.dumps(tasks), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
