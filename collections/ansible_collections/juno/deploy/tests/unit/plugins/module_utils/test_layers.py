# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports lead downwards, and never in a circle."""

from __future__ import annotations

import graphlib

import pytest
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import imports

#: The packages, bottom to top: each may import those before it.
ORDER = (
    "_in_app",
    "_base",
    "_state",
    "_app",
    "_module",
    "_git",
    "_django",
    "_memcached",
    "_bytecode",
    "_cache",
    "_proxy",
    "_verify",
    "_info",
    "_probe",
    "_runtime",
    "_rules",
    "_build",
    "_plan",
    "_database",
    "_init",
    "_switch",
    "_record",
    "_recovery",
    "_status",
    "_release",
)


def rank(name):
    return ORDER.index(name.partition(".")[0])


def test_each_package_has_its_place():
    assert {name.partition(".")[0] for name in imports.modules()} == set(ORDER)


@pytest.mark.parametrize("name", imports.modules())
def test_imports_lead_downwards(name):
    assert [one for one in imports.of(name) if rank(one) > rank(name)] == []


def test_there_are_no_circles():
    graph = {name: imports.of(name) for name in imports.modules()}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_a_circle_and_an_arrow_upwards_are_seen():
    assert rank("_base.errors") < rank("_release.release")
    assert "_base.errors" in imports.of("_release.release")
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def test_the_code_for_the_app_s_python_imports_nothing_of_ours_but_itself():
    assert all(
        one.startswith("_in_app.")
        for name in imports.modules()
        if name.startswith("_in_app.")
        for one in imports.of(name)
    )
