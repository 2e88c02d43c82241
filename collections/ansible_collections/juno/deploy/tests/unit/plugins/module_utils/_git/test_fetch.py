# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What git says when its server can't be reached, and a server that is gone."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._git import fetch

from . import repositories

#: The fixture.
repos = repositories.repos


GENERAL = (
    "fatal: Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists.\n"
)


@pytest.mark.parametrize(
    ("stderr", "why"),
    [
        ("", "it printed nothing"),
        (f"git@github.com: Permission denied (publickey).\n{GENERAL}", "git@github.com: Permission denied (publickey)"),
        (f"ERROR: Repository not found.\n{GENERAL}", "ERROR: Repository not found"),
        (f"Warning: a banner\nHost key verification failed.\n{GENERAL}", "Host key verification failed"),
        (
            f"fatal: detected dubious ownership in repository at '/srv/x.git'\nTo add:\n\n\tgit\n{GENERAL}",
            "fatal: detected dubious ownership in repository at '/srv/x.git'",
        ),
        (GENERAL, "fatal: Could not read from remote repository"),
        (
            "fatal: unable to access 'https://x/': Could not resolve host: x\n",
            "fatal: unable to access 'https://x/': Could not resolve host: x",
        ),
        ("error: one\nerror: two\n", "error: two"),
    ],
)
def test_why_the_server_can_not_be_reached(stderr, why):
    assert fetch.refusal(stderr) == why


def test_an_unknown_branch_is_named(repos):
    with pytest.raises(CommandError, match="The branch 'nosuch' is not in the remote 'origin'"):
        fetch.fetch(run_command, str(repos[1]), "origin", "nosuch", 30)


def test_a_remote_that_is_gone_is_told(repos, tmp_path):
    (tmp_path / "origin").rename(tmp_path / "away")
    with pytest.raises(CommandError, match="check that this host reaches the git server"):
        fetch.fetch(run_command, str(repos[1]), "origin", "main", 30)
