# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like the role's and are none of its."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.juno.deploy.plugins.plugin_utils import _variables as it

DEFAULTS = pathlib.Path(it.__file__).resolve().parents[2] / "roles" / "django_app" / "defaults" / "main.yml"


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
