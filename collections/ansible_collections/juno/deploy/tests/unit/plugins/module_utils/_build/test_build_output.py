# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a build failed, as its output says."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._build import build_output

# Printed by Compose 2.26.1 with BUILDKIT_PROGRESS=plain.
BUILD_OUTPUT = """#9 [web 5/6] RUN pip install -r requirements.txt
#9 0.627   Downloading whitenoise-6.12.0-py3-none-any.whl (20 kB)
#9 0.719 ERROR: Could not find a version that satisfies the requirement nosuch==9 (from versions: none)
#9 0.720 ERROR: No matching distribution found for nosuch==9
#9 ERROR: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1
"""


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (BUILD_OUTPUT, "ERROR: No matching distribution found for nosuch==9"),
        (
            "#9 0.1 KeyError: 'check'\n#9 0.1 During that\n#9 0.1 django.core.ImproperlyConfigured: HOST is not set\n",
            "django.core.ImproperlyConfigured: HOST is not set",
        ),
        ("#9 0.1 fine\nfailed to solve: no such image\n", ""),
        ("", ""),
    ],
)
def test_cause(output, cause):
    assert build_output.cause(output) == cause


FAILED_BUILD = """\
#8 [web 3/3] RUN ruff check .
#8 0.231 views.py:7:1: E722 bare except
#8 0.232 Found 1 error.
#8 ERROR: process "/bin/sh -c ruff check ." did not complete successfully: exit code: 1
------
 > [web 3/3] RUN ruff check .:
0.231 views.py:7:1: E722 bare except
0.232 Found 1 error.
------
failed to solve: process "/bin/sh -c ruff check ." did not complete successfully: exit code: 1
"""


def test_the_lines_of_the_step_that_failed_are_shown():
    shown = "> [web 3/3] RUN ruff check .:\n0.231 views.py:7:1: E722 bare except\n0.232 Found 1 error."
    assert build_output.failed_step(FAILED_BUILD) == shown
    # Other steps go on while one fails, and BuildKit repeats some of its lines only.
    many = "".join(f"#8 {n}.0 line {n}\n#9 {n}.0 other\n" for n in range(20))
    lines = build_output.failed_step(many + FAILED_BUILD).splitlines()
    assert lines[0] == "> [web 3/3] RUN ruff check .:"
    assert lines[1:] == [*(f"line {n}" for n in range(7, 20)), "views.py:7:1: E722 bare except", "Found 1 error."]
    assert build_output.failed_step("unknown flag: --x\n") == ""
