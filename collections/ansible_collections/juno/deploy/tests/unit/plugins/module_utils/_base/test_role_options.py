# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's variables say again what the options of a release are, as Ansible reads them as data: they must agree."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.juno.deploy.plugins.module_utils._base import options as base_options

ROLE = pathlib.Path(base_options.__file__).resolve().parents[3] / "roles" / "django_app"
DEFAULTS = yaml_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
ENTRY_POINTS = yaml_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
#: A variable as it is, or left out where it is empty.
PLAIN = re.compile(
    r"\{\{ (?:django_app__\w+ \| default\()?(django_app_[a-z]\w*)\)?(?: or omit| \| default\(omit\))? \}\}"
)
#: What the role does by itself, and the module only if told.
ROLES_OWN = {
    "django_app_probe_rate",
    "django_app_purge_bytecode",
    "django_app_check_urls",
    "django_app_check_cached",
    "django_app_check_sitemap_pages",
    "django_app_check_log_pages",
    "django_app_static_manifest",
    "django_app_release_header",
    "django_app_build_cache_keep_mb",
}


def handed_over(given, spec):
    """Return the option that each variable of the role becomes."""
    found = {}
    for name, value in given.items():
        if isinstance(value, dict):
            found |= handed_over(value, spec[name]["options"])
        elif name in spec and (plain := PLAIN.fullmatch(value)):
            found[plain[1]] = spec[name]
    return found


def options_of_the_role():
    begin = yaml_load((ROLE / "tasks" / "phases" / "begin.yml").read_text(encoding="utf-8"))
    found = handed_over(begin[0]["juno.deploy.release_begin"], base_options.RELEASE)
    # What another variable gives has no default to compare.
    return {name: option for name, option in found.items() if "{{" not in str(DEFAULTS.get(name))}


def variables(name):
    """Return each spec of a variable, by the entry point that has it."""
    return {point: spec["options"][name] for point, spec in ENTRY_POINTS.items() if name in spec["options"]}


OPTIONS = options_of_the_role()


def test_most_variables_are_handed_over_as_they_are():
    assert len(OPTIONS) > 50
    assert set(OPTIONS) > ROLES_OWN


@pytest.mark.parametrize("name", OPTIONS)
def test_choices_and_type_are_the_option_s(name):
    option, found = OPTIONS[name], variables(name)
    assert found
    for point, variable in found.items():
        assert variable.get("choices") == option.get("choices"), point
        assert variable["type"] == option["type"], point
        assert variable.get("elements") == option.get("elements"), point


@pytest.mark.parametrize("name", OPTIONS)
def test_the_default_is_the_option_s_unless_it_is_the_role_s_own(name):
    wanted = OPTIONS[name].get("default")
    for point, variable in variables(name).items():
        found = variable.get("default")
        assert found == DEFAULTS.get(name, found), point
        # An empty one is left out.
        assert ((found or None) == (wanted or None)) is (name not in ROLES_OWN), point
