# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites of the shapes in a folder of their own, and what was found of them."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_findings, django_info_shape
from ansible_collections.juno.deploy.plugins.module_utils._init import entry, look
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Django, Facts, Git, Given

from . import shapes

PREFIX = "django_app_"
GIT = Git("origin", "git@example.org:demo.git", "main")
ROLLING = {
    "strategy": "rolling",
    "strategy_reasons": [],
    "first_proxy": False,
    "front_recreated": [],
    "routes_moved": "",
}


def put(tmp_path, name: str, folder: str = "site") -> tuple[str, dict[str, t.Any]]:
    """Write a site's files; return its directory and configuration."""
    top = tmp_path / folder
    for file, text in shapes.FILES[name].items():
        (top / file).parent.mkdir(parents=True, exist_ok=True)
        (top / file).write_text(text)
    return str(top), json.loads(json.dumps(shapes.CONFIGS[name]).replace("TOP", str(top)))


def found(tmp_path, name: str, **given) -> Facts:
    """Return what the configuration of a site tells."""
    path, config = put(tmp_path, name, folder=given.pop("folder", name))
    known = Given(path, **given)
    app = dataclasses.replace(look.app_of(known, []), project=config["name"])
    return dataclasses.replace(look.of_config(known, app, config), git=GIT)


def info(**about) -> dict[str, t.Any]:
    """Return what django_info tells of a plain site."""
    known: dict[str, t.Any] = {
        "django": "5.2",
        "python": "3.13.5",
        "interpreter": "/bin/python",
        "settings_module": "demo.settings",
        "debug": False,
        "debug_text": "",
        "debug_variables": [],
        "environment": {"read": True, "error": "", "settings_named": True},
    }
    told = django_info_shape.shape({"about": {**known, **about}}, importing=False, variable="", ended="")
    return {**told, "server": {"kind": "gunicorn", "error": ""} | SERVER, "responses": []}


SERVER = {
    **{"workers": 3, "worker_class": "sync", "threads": 1, "preload": False, "autoreload": False, "reload": True},
    **{"reload_reason": "", "listens": ["0.0.0.0:8000"]},
}


def asked(facts: Facts, told: dict[str, t.Any] | None = None, **more) -> Facts:
    """Return the facts of a site that was asked itself."""
    told = told or info()
    known = {"allowed_hosts": ("*",), "databases": {"default": "django.db.backends.sqlite3"}, "workdir": "/code"}
    findings = tuple(django_info_findings.find(told))
    return dataclasses.replace(facts, django=Django(told, **{**known, "findings": findings, **more}))


def text(facts: Facts) -> str:
    return "\n".join(entry.lines(facts, PREFIX))


def variables(facts: Facts) -> dict[str, t.Any]:
    """Return what an entry sets, as Ansible reads it."""
    set_by_it = yaml_load(text(facts)) or {}
    assert all(name.startswith(PREFIX) for name in set_by_it)
    return {name.removeprefix(PREFIX): value for name, value in set_by_it.items()}


def variables_text(facts: Facts) -> dict[str, t.Any]:
    """Do so where values are marked as no templates, which only Ansible's own loader of variables knows."""
    return {name.removeprefix(PREFIX): value for name, value in yaml_load(text(facts).replace("!unsafe ", "")).items()}


def said(facts: Facts, part: str = "") -> str:
    """Return the comments of an entry, or those below a title, in one line."""
    lines = [line.lstrip("# ").strip() if line.startswith("#") else "" for line in text(facts).splitlines()]
    whole = "\n".join(lines)
    if part:
        assert f"\n{part}:\n" in whole
        whole = whole.partition(f"\n{part}:\n")[2].partition("\n\n")[0]
    return " ".join(whole.split())
