# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout moves, in real repositories, and nothing of a person's is lost."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, move

from . import repositories
from .repositories import commit, look, sh

#: The fixture.
repos = repositories.repos


def test_a_new_commit_is_seen_and_moved_to(repos):
    person, droplet = repos
    new = commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    state = look(droplet)
    checkout.require_movable(str(droplet), state, "main")
    assert (state.ahead, state.behind, state.target_commit) == (0, 1, new)
    assert move.fast_forward(run_command, str(droplet), new) is True
    assert (droplet / "page").read_text() == "2"
    assert move.fast_forward(run_command, str(droplet), new) is False


def test_a_file_changed_by_hand_is_never_overwritten(repos):
    person, droplet = repos
    new = commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    (droplet / "page").write_text("by hand")
    with pytest.raises(BadInputError, match=r"locally modified files: page; nothing was overwritten"):
        checkout.require_movable(str(droplet), look(droplet), "main")
    with pytest.raises(CommandError, match="it is as it was"):
        move.fast_forward(run_command, str(droplet), new)
    assert (droplet / "page").read_text() == "by hand"


def test_a_rewritten_branch_is_followed_from_a_commit_that_was_deployed(repos):
    person, droplet = repos
    served = sh(droplet, "rev-parse", "HEAD")
    sh(person, "commit", "-q", "--amend", "-m", "rewritten")
    sh(person, "push", "-q", "--force", "origin", "main")
    state = look(droplet)
    assert state.ahead == 1
    checkout.require_movable(str(droplet), state, "main", {served})
    move.move(run_command, str(droplet), state.target_commit)
    assert sh(droplet, "rev-parse", "HEAD") == state.target_commit
    move.move(run_command, str(droplet), served)
    assert sh(droplet, "rev-parse", "HEAD") == served


def test_the_checkout_moves_forward_and_back(repos):
    person, droplet = repos
    first, new = sh(droplet, "rev-parse", "HEAD"), commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    look(droplet)
    (droplet / "untracked").write_text("x")
    assert move.move(run_command, str(droplet), new) is True
    assert (checkout.head(run_command, str(droplet)), (droplet / "page").read_text()) == (new, "2")
    assert move.move(run_command, str(droplet), new) is False
    assert move.move(run_command, str(droplet), first) is True
    assert (checkout.head(run_command, str(droplet)), (droplet / "page").read_text()) == (first, "1")
    assert (droplet / "untracked").read_text() == "x"
    # Still on its branch, and nothing keeps the next deploy from moving forward again.
    state = look(droplet)
    checkout.require_movable(str(droplet), state, "main")
    assert (state.branch, state.behind) == ("main", 1)


def test_moving_back_loses_nothing_that_was_changed_by_hand(repos):
    person, droplet = repos
    first, new = sh(droplet, "rev-parse", "HEAD"), commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    look(droplet)
    move.move(run_command, str(droplet), new)
    (droplet / "page").write_text("by hand")
    with pytest.raises(CommandError, match=r"would not move the checkout .* back to .*; it is as it was"):
        move.move(run_command, str(droplet), first)
    assert ((droplet / "page").read_text(), checkout.head(run_command, str(droplet))) == ("by hand", new)


def test_a_commit_that_is_not_there_is_told(repos):
    with pytest.raises(CommandError, match="would not move the checkout"):
        move.move(run_command, str(repos[1]), "1" * 40)
