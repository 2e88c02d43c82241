# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the argument specs say is what the documentation says."""

from __future__ import annotations

import importlib
import json

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.juno.deploy.plugins.module_utils._base import options as base_options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

PLUGINS = "ansible_collections.juno.deploy.plugins"
STEPS = sorted(base_options.STEPS)
#: Those that are more than documentation.
MODULES = (
    "django_cache_clear",
    "django_collectstatic",
    "django_info",
    "freshness_check",
    "memcached_flush",
    "memcached_info",
    "project_info",
    "proxy_maintenance",
    "pycache_purge",
    "release_begin",
    "release_info",
    "release_step",
)
#: The options that one step has, and not all.
ARGUMENTS = {"build": {"cache_version"}, "migrate": {"reverse"}, "undo": {"task", "reason"}}


def documented(module):
    """Return the options of a module's documentation, with those of its fragments as Ansible merges them."""
    docs = yaml_load(importlib.import_module(f"{PLUGINS}.modules.{module}").DOCUMENTATION)
    options = dict(docs.get("options") or {})
    for name in docs.get("extends_documentation_fragment") or []:
        fragment, _dot, part = name.removeprefix("juno.deploy.").partition(".")
        text = getattr(
            importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment}").ModuleDocFragment,
            part.upper() or "DOCUMENTATION",
        )
        for option, words in (yaml_load(text).get("options") or {}).items():
            options[option] = {**words, **options.get(option, {})}
    return options


def spec_of(module, monkeypatch):
    """Return the argument spec that a module uses."""
    seen = {}

    class SeenError(Exception):
        pass

    def see(*_args, argument_spec, **_more):
        seen.update(argument_spec)
        raise SeenError

    code = importlib.import_module(f"{PLUGINS}.modules.{module}")
    monkeypatch.setattr(code, "AnsibleModule", see)
    with pytest.raises(SeenError):
        code.main()
    return seen


def differences(spec, docs, path=""):
    """Return where a spec and its documentation differ."""
    found = [f"{path}{name} is not documented" for name in spec.keys() - docs.keys()]
    found += [f"{path}{name} is no option" for name in docs.keys() - spec.keys()]
    for name in sorted(spec.keys() & docs.keys()):
        code, words, option = spec[name], docs[name], f"{path}{name}"
        for key in ("type", "default", "choices", "elements", "required"):
            if code.get("apply_defaults") and key == "default":
                continue
            in_code, in_words = code.get(key), words.get(key)
            if (type(in_code), in_code) != (type(in_words), in_words):
                found.append(f"{option}: {key} is {in_code!r}, and {in_words!r} in the documentation")
        if not words.get("description"):
            found.append(f"{option} says nothing")
        found += differences(code.get("options") or {}, words.get("suboptions") or {}, f"{option}.")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_each_option_is_documented_as_it_is(module, monkeypatch):
    assert differences(spec_of(module, monkeypatch), documented(module)) == []


def test_all_that_a_release_is_to_be_is_an_option_of_the_begin():
    docs = documented("release_begin")
    assert differences(base_options.RELEASE, {name: docs[name] for name in base_options.RELEASE}) == []


@pytest.mark.parametrize("name", STEPS)
def test_what_a_step_s_module_documents_is_what_the_one_module_takes(name, monkeypatch):
    spec, docs = spec_of("release_step", monkeypatch), documented(f"release_{name}")
    own = set(docs) - set(base_options.STEP)
    assert own == ARGUMENTS.get(name, set())
    assert differences({one: spec[one] for one in {*base_options.STEP, *own}}, docs) == []


def test_differences_are_seen():
    spec = {
        "a": {"type": "int", "default": 1},
        "b": {"type": "str"},
        "c": {"type": "dict", "options": {"d": {"type": "str"}}},
    }
    docs = {
        "a": {"type": "int", "default": True, "description": "x"},
        "c": {"type": "dict", "description": "x", "suboptions": {"d": {"type": "str"}}},
        "e": {"type": "str", "description": "x"},
    }
    assert differences(spec, docs) == [
        "b is not documented",
        "e is no option",
        "a: default is 1, and True in the documentation",
        "c.d says nothing",
    ]


def test_a_spec_is_whole_and_plain_where_little_is_said():
    """Each group has its defaults, and all of it goes to the deployer as JSON."""
    result = ArgumentSpecValidator(base_options.RELEASE).validate(
        {"path": "/app", "project": "shop", "record": {"keep_releases": 9}}
    )
    assert result.error_messages == []
    given = result.validated_parameters
    assert set(given) == set(base_options.RELEASE)
    for name, spec in base_options.RELEASE.items():
        if spec["type"] == "dict" and spec.get("options"):
            assert set(given[name]) == set(spec["options"])
    assert given["record"] == {"keep_releases": 9, "keep_backups": 3, "build_cache_keep_mb": 0}
    assert given["proxy"]["trusted_proxies"] == list(base_options.TRUSTED)
    assert json.loads(json.dumps(given)) == given


def test_the_specs_are_shared_and_stay_as_they_are():
    before = json.dumps(base_options.RELEASE)
    for _again in range(2):
        ArgumentSpecValidator(base_options.RELEASE).validate({"path": "/app", "project": "shop"})
    assert json.dumps(base_options.RELEASE) == before


@pytest.mark.parametrize(
    ("project", "state_root", "problem"),
    [
        ("Shop", "/var/lib/juno", "not a valid name of a compose project"),
        ("", "/var/lib/juno", "not a valid name of a compose project"),
        ("../shop", "/var/lib/juno", "not a valid name of a compose project"),
        ("shop\n", "/var/lib/juno", "not a valid name of a compose project"),
        ("shop", "lib/juno", "must be an absolute path"),
    ],
)
def test_the_directory_of_the_state_is_below_its_root(project, state_root, problem):
    with pytest.raises(BadInputError, match=problem):
        base_options.state_directory({"project": project, "state_root": state_root})


def test_the_directory_of_the_state():
    assert base_options.state_directory({"project": "shop", "state_root": "/var/lib/juno"}) == "/var/lib/juno/shop"
