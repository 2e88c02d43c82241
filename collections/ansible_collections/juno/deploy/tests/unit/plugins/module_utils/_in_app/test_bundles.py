# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In-app code goes to the app's Python as a list of modules: each has to come after those that it imports."""

from __future__ import annotations

import inspect
import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _in_app
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway_job
from ansible_collections.juno.deploy.plugins.module_utils._cache import django_caches
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info

IMPORTED = re.compile(rf"^from ({re.escape(_in_app.__name__)}\.\w+) import", re.MULTILINE)


@pytest.mark.parametrize(
    "modules",
    [
        pytest.param(throwaway_job.IN_APP_MODULES, id="throwaway container"),
        pytest.param(django_info.IN_APP_MODULES, id="django_info"),
        pytest.param(collectstatic.IN_APP_MODULES, id="collectstatic"),
        pytest.param(django_caches.MODULES, id="caches"),
    ],
)
def test_each_module_comes_after_those_that_it_imports(modules):
    names = [one.__name__ for one in modules]
    missing = [
        f"{one.__name__} needs {name}"
        for number, one in enumerate(modules)
        for name in IMPORTED.findall(inspect.getsource(one))
        if name not in names[:number]
    ]
    assert missing == []
