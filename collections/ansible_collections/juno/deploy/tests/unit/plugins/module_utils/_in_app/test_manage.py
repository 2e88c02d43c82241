# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What old interpreters ask of the in-app modules."""

from __future__ import annotations

import ast
import inspect

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway_job
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache, cache_list, manage

EACH_MODULE = pytest.mark.parametrize("module", [cache, cache_list, manage, *throwaway_job.IN_APP_MODULES[1:]])


@EACH_MODULE
def test_python_3_6_can_read_it(module):
    ast.parse(inspect.getsource(module), feature_version=(3, 6))


@EACH_MODULE
def test_no_signature_needs_a_younger_python(module):
    """An annotation is evaluated when its function is made, unless it is quoted: dict[str, int] needs 3.9."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            for annotation in [node.returns, *(one.annotation for one in arguments)]:
                assert isinstance(annotation, (ast.Constant, ast.Name, ast.Attribute, type(None))), node.name
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__"


@EACH_MODULE
def test_it_fits_into_one_argument(module):
    # Linux takes 128 KiB in one argument of a command; all in-app modules together must stay far below.
    assert len(inspect.getsource(module)) < 16_000
