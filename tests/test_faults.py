# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault of the scenario of that name is at a task that there is: most of them only the soak runs."""

from __future__ import annotations

import pathlib
import typing as t

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAULTS = ROOT / "molecule" / "faults" / "vars" / "faults.yml"
ROLE = ROOT / "collections" / "ansible_collections" / "juno" / "deploy" / "roles" / "django_app" / "tasks"


def names(value: t.Any, key: str) -> set[str]:
    """Return all texts with a key, however deep."""
    if isinstance(value, list):
        return set().union(*(names(one, key) for one in value))
    if not isinstance(value, dict):
        return set()
    found = {value[key]} if isinstance(value.get(key), str) else set()
    return found.union(*(names(one, key) for one in value.values()))


def test_faults_are_at_tasks_that_there_are():
    text = yaml.safe_load(FAULTS.read_text(encoding="utf-8"))
    at = {one for one in names(text, "task") if "{{" not in one}
    at |= {text[name] for name in text if name.endswith("_task")}
    files = (one.read_text(encoding="utf-8") for one in ROLE.rglob("*.yml"))
    tasks = set().union(*(names(yaml.safe_load(one), "name") for one in files))
    assert at - tasks == set()
    assert len(at) > 5
