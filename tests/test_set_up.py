# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the virtual environment gets, and the pip that ansible-test wants."""

from __future__ import annotations

import pytest

from tools import ansible_test_cache
from tools.set_up import requirements

PYPROJECT = """
[project]
dependencies = ["ansible>=12"]
[project.optional-dependencies]
test = ["pytest>=9"]
"""


def test_the_controller_alone_and_with_the_tests():
    assert requirements(PYPROJECT, tests=False) == ["ansible>=12"]
    assert requirements(PYPROJECT, tests=True) == ["ansible>=12", "pytest>=9"]


def test_the_wanted_pip_is_read_from_the_source():
    assert ansible_test_cache.wanted_version("    default_packages = dict(\n        pip='24.2',\n    )\n") == "24.2"
    with pytest.raises(ValueError, match="no longer says"):
        ansible_test_cache.wanted_version("something else")
