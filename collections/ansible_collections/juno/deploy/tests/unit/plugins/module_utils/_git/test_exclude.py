# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Git's exclude file, in real repositories."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._git import exclude as git_exclude

from . import repositories
from .repositories import sh

#: The fixture.
repos = repositories.repos


@pytest.mark.parametrize("exclude", [None, "", "*.log\n", "/compose.override.yml\n"])
def test_git_takes_no_notice_of_a_file_of_ours(repos, exclude):
    droplet = repos[1]
    path = droplet / ".git" / "info" / "exclude"
    path.unlink()
    if exclude is not None:
        path.write_text(exclude)
    (droplet / "compose.override.yml").write_text("x")
    for _again in range(2):
        git_exclude.leave_alone(run_command, str(droplet), "compose.override.yml")
    assert path.read_text().splitlines().count("/compose.override.yml") == 1
    assert path.read_text().startswith((exclude or "").replace("/compose.override.yml\n", ""))
    assert sh(droplet, "status", "--porcelain") == ""


def test_a_last_line_without_an_end_stays_whole(repos):
    path = repos[1] / ".git" / "info" / "exclude"
    path.write_text("*.log")
    git_exclude.leave_alone(run_command, str(repos[1]), "compose.override.yml")
    assert path.read_text().splitlines() == ["*.log", "/compose.override.yml"]
