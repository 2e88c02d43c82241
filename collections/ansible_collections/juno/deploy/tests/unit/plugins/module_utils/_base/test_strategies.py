# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the strategies are, and which one is taken."""

from __future__ import annotations

import dataclasses

import pytest
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.juno.deploy.plugins.doc_fragments import plan as plan_fragment
from ansible_collections.juno.deploy.plugins.module_utils._base import options, strategies
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import imports

NO_RELOAD, NO_PROXY = "not reload, because A", "not rolling, because B"
ENTRY_POINTS = imports.ROOT.parents[1] / "roles" / "django_app" / "meta" / "argument_specs.yml"


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("rolling", {"new_containers": True, "needs_proxy": True, "overlaps": True, "has_gap": False}),
        ("reload", {"new_containers": False, "needs_proxy": False, "overlaps": True, "has_gap": False}),
        ("recreate", {"new_containers": True, "needs_proxy": False, "overlaps": False, "has_gap": True}),
    ],
)
def test_each_property_of_each_strategy(name, properties):
    found = dataclasses.asdict(strategies.named(name))
    fallback = {"rolling": "recreate", "reload": "rolling", "recreate": ""}[name]
    assert found == {"name": name, **properties, "fallback": fallback}


def test_the_table_is_whole():
    assert strategies.NAMES == ("rolling", "reload", "recreate")
    assert strategies.DEFAULT in strategies.NAMES


@pytest.mark.parametrize("name", ["", "swarm", "Rolling"])
def test_an_unknown_one_is_refused(name):
    with pytest.raises(BadInputError) as error:
        strategies.named(name)
    assert error.value.message == (
        f"There is no strategy '{name}' in this version of juno.deploy: set 'strategy' to rolling, reload or recreate, "
        "or use the version that knows it."
    )


@pytest.mark.parametrize("one", strategies.ALL, ids=lambda one: one.name)
def test_what_may_be_impossible_has_another_to_fall_back_on(one):
    seen = [one]
    while seen[-1].fallback:
        seen.append(strategies.named(seen[-1].fallback))
        assert len(seen) <= len(strategies.ALL), "in a circle"
    assert seen[-1].new_containers
    assert not seen[-1].needs_proxy


@pytest.mark.parametrize(
    ("wanted", "no_reload", "no_proxy", "taken", "reasons"),
    [
        ("rolling", "", "", "rolling", ()),
        ("rolling", "A", "", "rolling", ()),
        ("rolling", "", "B", "recreate", (NO_PROXY,)),
        ("reload", "", "", "reload", ()),
        ("reload", "", "B", "reload", ()),
        ("reload", "A", "", "rolling", (NO_RELOAD,)),
        ("reload", "A", "B", "recreate", (NO_RELOAD, NO_PROXY)),
        ("recreate", "A", "B", "recreate", ()),
        ("recreate", "", "", "recreate", ()),
    ],
)
def test_the_wanted_one_or_the_next_that_is_possible(wanted, no_reload, no_proxy, taken, reasons):
    chosen = strategies.choose(wanted, no_reload=no_reload, no_proxy=no_proxy)
    assert (chosen.strategy, chosen.reasons) == (taken, reasons)


def test_the_option_has_those_of_the_table():
    assert options.PLAN["strategy"]["choices"] == list(strategies.NAMES)
    assert options.PLAN["strategy"]["default"] == strategies.DEFAULT


def test_the_documentation_has_those_of_the_table():
    documented = yaml_load(plan_fragment.ModuleDocFragment.DOCUMENTATION)["options"]["strategy"]
    assert documented["choices"] == list(strategies.NAMES)


def test_the_role_s_variables_have_those_of_the_table():
    specs = yaml_load(ENTRY_POINTS.read_text(encoding="utf-8"))["argument_specs"]
    found = {
        f"{point}.{name}": variable["choices"]
        for point, spec in specs.items()
        for name, variable in spec["options"].items()
        if name in ("django_app_strategy", "django_app_quick_strategy")
    }
    assert {name.partition(".")[2] for name in found} == {"django_app_strategy", "django_app_quick_strategy"}
    assert [name for name, choices in found.items() if choices != list(strategies.NAMES)] == []
