# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like the role's and are none of its."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible_collections.juno.deploy.plugins.plugin_utils import _variables as it

ROLE = pathlib.Path(it.__file__).resolve().parents[2] / "roles" / "django_app"
DEFAULTS = ROLE / "defaults" / "main.yml"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("django_app_check_url", "did you mean django_app_check_urls?"),
        ("django_app_strategie", "did you mean django_app_strategy?"),
        ("django_app_nothing_like_it", "it does nothing by itself"),
    ],
)
def test_what_is_unknown(name, meant):
    assert it.unknown([name, "django_app_path"]) == [f"{name} is no variable of this role; {meant}"]


def test_what_is_known_or_somebody_elses():
    assert it.unknown(["django_app_path", "django_app__begun", "ansible_host", "django_apps"]) == []


def test_the_roles_own_defaults_are_known():
    assert it.unknown(yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))) == []


def uses():
    """Return each use of a number or a switch in an expression of the role: the file and line, and what follows it."""
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"].values()
    kinds = {name: option.get("type") for spec in specs for name, option in spec.get("options", {}).items()}
    names = "|".join(name for name, kind in kinds.items() if kind in ("bool", "int", "float"))
    # An option of a module converts what it gets.
    plain = re.compile(rf'\s*\w+: "{{{{ ({names})( \| default\(omit\))? }}}}"\s*')
    for path in [*(ROLE / "tasks").rglob("*.yml"), *(ROLE / "vars").glob("*.yml")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not plain.fullmatch(line):
                for found in re.finditer(rf"\b({names})\b(.{{,9}})", line):
                    yield f"{path.name}:{number} {found[1]}", found[2]


def test_what_comes_from_the_command_line_is_text_and_is_converted():
    found = dict(uses())
    assert len(found) > 5
    wrong = [place for place, after in found.items() if not re.match(r" \| (bool|int|float)\b", after)]
    assert wrong == []
