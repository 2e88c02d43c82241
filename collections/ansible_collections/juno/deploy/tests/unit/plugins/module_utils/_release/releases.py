# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release with what its steps have found, for the tests of this folder."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._release import steps
from ansible_collections.juno.deploy.plugins.module_utils._release.release import Release
from ansible_collections.juno.deploy.plugins.module_utils._state import lock
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs

BEGUN = {
    "begun": True,
    "git": {"target_commit": "c2"},
    "plan": {
        "deploy": True,
        "strategy": "rolling",
        "build": True,
        "collect": True,
        "translate": False,
        "frontend": False,
        "clear": "all",
    },
    "serving": {"commit": "c1"},
    "images": {"web": "jobs-web:juno-c1"},
    "serving_images": {"web": "jobs-web:juno-c3"},
    "reverse_to": {"jobs": "0001_a"},
    "cache_version": {"value": 7, "variable": "CACHE_VERSION", "others": [], "why": ""},
}
BUILT = {
    "images": {"web": "jobs-web:juno-c2"},
    "build_seconds": 2.5,
    "static": {"replaced_names": ["a.css"]},
    "migrations": {"databases": [{"alias": "default"}]},
}
NOT_COVERED = {"covered": False, "alias": []}
SWITCHED = {
    "base_url": "http://127.0.0.1:8001",
    "outage_seconds": 1.5,
    "began": 100.0,
    "cleared_at": 0.0,
    "answered_before": None,
    "caches": NOT_COVERED,
}
VERIFIED = {"began": 110.0, "html_max_age_found": None}


def release(tmp_path, results=(), **more):
    """Return a release after some steps; of the plan, only the rest is replaced."""
    plan = more.pop("plan", {})
    spec = specs.release(state_root=str(tmp_path), **more)
    given = {"begin": {**BEGUN, "plan": {**BEGUN["plan"], **plan}}, **dict(results)}
    holder = lock.Holder("one", spec["purpose"], "rohit@laptop")
    return Release(app_app.from_params(spec), spec, holder, "/kept/abc", results=given)


def do(step, at, **args):
    """Do a step of a release in this process."""
    return steps.STEPS[step](at, args)
