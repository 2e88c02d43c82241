# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an undo does, and tells, after each step at which a release may have ended."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._database import applied, restore
from ansible_collections.juno.deploy.plugins.module_utils._proxy import draining
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_clearing
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._recovery.interrupted_switch import (
    CACHES,
    recover,
    switched,
    undo,
)

pytestmark = pytest.mark.usefixtures("cleared")


def test_nothing_at_work_is_nothing_to_undo(world):
    assert undo(world) == {}
    assert recover(world) == {}


def test_before_the_switch_only_the_journal_changes(world):
    world.add("web-1")
    world.begun()
    result = undo(world)
    assert (result["number"], result["undone"], result["finished"]) == (2, True, False)
    assert (result["clear_caches"], result["log"]) == (False, "")
    assert world.log == []
    entry = world.newest()
    assert (entry.outcome, entry.undone) == ("failed", True)
    assert entry.figures == {"task": "Verify", "reason": "/ does not contain 'Edition 2'"}
    # What serves is known again.
    assert journal.serving(journal.read(world.app.journal)).number == 1


def test_a_second_undo_goes_on_where_the_first_was_killed(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    switched(world)

    def killed(*_any):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(draining, "drain", killed)
        with pytest.raises(KeyboardInterrupt):
            undo(world)
    assert undo(world)["undone"] is True
    assert world.states("web") == {"web-1": "running"}
    assert world.gets_requests() == ["web-1"]


NGINX = "http {{ server {{ location / {{\nproxy_pass http://web:8000;\n{}\n}} }} }}"
KEPT = (
    "But pages of release 2 may be in the cache of 'nginx' (proxy_cache), which nothing here clears: empty it, or "
    "visitors get them for as long as they are kept there."
)


@pytest.mark.parametrize(
    ("step", "line", "words"),
    [
        ("open", "proxy_cache pages;", KEPT),
        ("switched", "proxy_cache pages;", KEPT),
        ("open", "", ""),
        # No visitor can have met it.
        ("switch", "proxy_cache pages;", ""),
    ],
)
def test_pages_in_a_cache_of_the_front_proxys_own_are_told(world, step, line, words):
    world.config["services"]["nginx"] = {"image": "nginx", "configs": ["site"]}
    world.config["configs"] = {"site": {"content": NGINX.format(line)}}
    world.add("web-1")
    switched(world, step=step)
    assert undo(world)["words"] == words


def test_what_is_verified_is_not_undone(world):
    world.add("web-2")
    world.begun(step="verified", before={"commit": world.commits[0], "containers": {"web-1": "web"}})
    result = undo(world)
    assert (result["undone"], result["finished"]) == (False, False)
    assert world.log == []
    assert world.newest().outcome == "started"


@pytest.mark.parametrize(
    ("step", "moved", "mounted", "pending"),
    [
        ("switch", False, True, False),
        ("move", False, True, True),
        ("move", False, False, False),
        # Old workers read new templates from here on.
        ("moved", True, True, True),
        ("moved", True, False, False),
        ("open", True, False, True),
        ("switched", False, False, True),
    ],
)
def test_when_pages_of_the_new_release_may_be_in_the_caches(world, cleared, step, moved, mounted, pending):
    world.behind_proxy()
    world.add("web-1")
    if mounted:
        world.config["services"]["web"]["volumes"] = [{"type": "bind", "source": world.app.path, "target": "/code"}]
    switched(world, "switch")
    journal.step(world.app.journal, step, moved=moved)
    assert undo(world)["clear_caches"] is pending
    # It is written down first, since this run may die in the middle of it, too.
    assert cleared == [("jobs", CACHES, True)] * pending
    assert not journal.invalidation_pending(journal.read(world.app.journal))


def test_caches_that_can_not_be_cleared_stay_pending(world, monkeypatch):
    def refuse(_app, _caches):
        raise JunoError("memcached refuses.")

    world.add("web-1")
    switched(world, strategy="recreate")
    monkeypatch.setattr(cache_clearing, "clear", refuse)
    result = undo(world)
    assert (result["undone"], result["clear_caches"], result["not_cleared"]) == (True, True, "memcached refuses.")
    assert (world.newest().outcome, world.newest().invalidation_pending) == ("failed", True)
    assert recover(world) == {}  # what is pending is no release that is interrupted


@pytest.mark.parametrize(
    ("covers", "mounted", "pending"), [(True, False, False), (False, False, True), (True, True, True)]
)
def test_with_a_cache_version_the_old_caches_are_right(world, covers, mounted, pending):
    """Not where the old workers could read new templates meanwhile."""
    world.behind_proxy()
    world.add("web-1")
    if mounted:
        world.config["services"]["web"]["volumes"] = [{"type": "bind", "source": world.app.path, "target": "/code"}]
    switched(world, "switch")
    journal.step(world.app.journal, "switched", moved=True, cache_version=7, cache_version_covers=covers)
    assert undo(world)["clear_caches"] is pending


def test_before_the_switch_no_invalidation_is_pending(world):
    world.begun(step="build")
    undo(world)
    assert not world.newest().invalidation_pending


def test_where_nothing_serves_nobody_is_asked_to_clear_caches(world, cleared):
    switched(world, strategy="recreate")
    journal.step(world.app.journal, "open")
    result = undo(world)
    assert (result["serves"], result["clear_caches"]) == (False, False)
    assert (world.newest().invalidation_pending, cleared) == (True, [])


@pytest.fixture
def noted(monkeypatch):
    """Return what a run has noted, and what is asked of the database."""

    def note(migrations, *, unread=(), **more):
        asked = []
        record = applied.Record(tuple(migrations), tuple(migrations), {"applied": ["a.1"], "file": False})

        def go(way):
            asked.append((way.entry.built, dict(more["states"]())))
            kept = [one for one in migrations if one["lossy"] or not one["reversible"]]
            return restore.RestoreOutcome(standing=kept)

        monkeypatch.setattr(applied, "read", lambda _app: record)
        monkeypatch.setattr(restore.Restore, "go", go)
        monkeypatch.setattr(restore.Restore, "unread_before", lambda _way, _outcome: list(unread))
        return asked

    return note


def migration(name="0002_b", reversible=True, lossy=()):
    return {"app": "jobs", "name": name, "reversible": reversible, "lossy": list(lossy), "atomic": True, "stamp": 1}


def test_the_migrations_are_reversed_after_the_containers(world, noted):
    world.add("web-1")
    asked = noted([migration()], states=world.states)
    switched(world, strategy="recreate")
    journal.change(world.app.journal, built={"web": "x"}, migrating={"session": "s"})
    assert undo(world)["standing"] == []
    assert asked == [({"web": "x"}, {"web-1": "running"})]


@pytest.mark.parametrize("one", [migration(lossy=["DeleteModel jobs.Job"]), migration(reversible=False)])
def test_what_may_be_put_back_is_before_the_old_code_starts(world, noted, one):
    world.add("web-1")
    asked = noted([one], states=world.states)
    switched(world, strategy="recreate")
    journal.change(world.app.journal, built={"web": "x"}, migrating={"session": "s"})
    result = undo(world)
    assert (result["standing"], result["undone"]) == (["jobs.0002_b"], True)
    assert "stays applied" in result["words"]
    assert asked == [({"web": "x"}, {"web-1": "exited", "web-2": "running"})]
    assert world.states() == {"web-1": "running"}
    assert world.newest().standing == ["jobs.0002_b"]


@pytest.mark.parametrize(("step", "stays"), [("switched", True), ("open", False)])
def test_where_the_old_code_cannot_work_with_what_stands_the_new_one_goes_on(world, noted, cleared, step, stays):
    world.add("web-1")
    noted([migration(lossy=["RemoveField jobs.job.pay"])], unread=["jobs.Job: no such column"], states=world.states)
    switched(world, strategy="recreate")
    journal.step(world.app.journal, step, built={}, migrating={"session": "s"}, containers={"web-2": "web"})
    result = undo(world)
    assert (result["undone"], result["clear_caches"]) == (not stays, True)
    assert ("goes on serving" in result["words"]) is stays
    assert world.states()["web-2" if stays else "web-1"] == "running"
    entry = world.newest()
    assert (entry.outcome, entry.undone, cleared) == ("failed", not stays, [("jobs", CACHES, True)])
    # Which release serves is not said: the next deploy does all.
    assert (journal.serving(journal.read(world.app.journal)) is None) is stays


def test_a_database_that_does_not_answer_keeps_no_container_away(world, noted, monkeypatch):
    world.add("web-1")
    noted([migration(lossy=["DeleteModel jobs.Job"])], states=world.states)
    switched(world, strategy="recreate")
    journal.change(world.app.journal, built={}, migrating={"session": "s"})

    def refuse(_way):
        raise JunoError("the database doesn't answer")

    with monkeypatch.context() as patch:
        patch.setattr(restore.Restore, "go", refuse)
        with pytest.raises(JunoError, match="doesn't answer"):
            undo(world)
    assert world.states() == {"web-1": "running"}
    assert undo(world)["standing"] == ["jobs.0002_b"]


@pytest.mark.parametrize("migrating", [None, {"session": "s"}])
def test_a_database_that_was_not_touched_is_let_alone(world, monkeypatch, migrating):
    monkeypatch.setattr(restore.Restore, "_ask", lambda *_any, **_more: pytest.fail("it touched the database"))
    pending = [{"app": "jobs", "name": "0002_b", "reversible": True}]
    world.begun(step="build", migrating=migrating, schema={"applied": [], "pending": pending})
    assert undo(world)["standing"] == []


def test_throwaway_containers_are_gone_before_anything(world):
    world.add("migrating-1")
    world.there["migrating-1"]["Labels"] = {"juno.app": "jobs", "juno.run": "2"}
    world.begun(step="migrate")
    undo(world)
    assert world.log == ["kill migrating-1"]
