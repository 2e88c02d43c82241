# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static root as this host sees it: where it is, what is remembered, what goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine as app_engine
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_memory as mem
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry

CONTAINER = app_engine.Container("c1", "web-1", "web", 1, "running", "i", (), ())
APP = App("/srv/jobs", "jobs", "web", (), (), "", "/var/lib/juno")
KEEP_ONE = retention.RetentionRules(keep_releases=1, html_max_age=100)


class Engine:
    """Tells of one container what an Engine does."""

    def __init__(self, mounts=(), pid=0):
        self.api = self
        self.seen = {"Mounts": list(mounts), "State": {"Pid": pid}}

    def inspect_container(self, _identity):
        return self.seen


def mount(source, destination):
    return {"Source": str(source), "Destination": destination}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("/code/staticfiles", "volume"),
        ("/code/staticfiles/deep", "volume/deep"),
        ("/code/public", "code/public"),
        # In the image, or not there.
        ("/srv/static", None),
        ("/code/nosuch", None),
        ("/codex/public", None),
        ("", None),
    ],
)
def test_where_the_root_is_on_this_host(tmp_path, place, found):
    for name in ("volume/deep", "code/public"):
        (tmp_path / name).mkdir(parents=True)
    mounts = [mount(tmp_path / "code", "/code"), mount(tmp_path / "volume", "/code/staticfiles")]
    root = retention.root_of(Engine(mounts), [CONTAINER], {"root": place, "manifest": "m.json"})
    assert (root.path if root else None) == (str(tmp_path / found) if found else None)
    assert retention.root_of(Engine(mounts), [], {"root": place, "manifest": "m.json"}) is None
    assert retention.root_of(Engine(mounts), [CONTAINER], {"root": place, "manifest": ""}) is None


@pytest.fixture
def root(tmp_path):
    (tmp_path / "static").mkdir()
    return retention.Root(str(tmp_path / "static"), "staticfiles.json")


def apply(root, rules, started, now):
    """Remember in the state folder, as a deploy does."""
    memory = os.path.join(os.path.dirname(root.path), "state", retention.MEMORY)
    return retention.apply(root, rules, started, now, memory)


def collect(root, letter, *more):
    """Write a release's files and its manifest."""
    name = f"a.{letter * 12}.css"
    for one in ("a.css", name, name + ".gz", *more):
        with open(os.path.join(root.path, one), "w", encoding="utf-8") as file:
            file.write(letter)
    with open(os.path.join(root.path, root.manifest), "w", encoding="utf-8") as file:
        json.dump({"paths": {"a.css": name}, "version": "1.1", "hash": letter}, file)


def names(root):
    return sorted(one for one in os.listdir(root.path) if not one.startswith(".juno"))


def test_what_nothing_names_any_more_goes_and_nothing_else(root):
    collect(root, "a", "by-hand.txt")
    at = time.time()
    assert apply(root, KEEP_ONE, at - 10, at)["removed"] == 0
    collect(root, "b")
    # Replaced just now; and seen by a process that runs since before.
    assert apply(root, KEEP_ONE, at + 50, at + 10)["removed"] == 0
    assert apply(root, KEEP_ONE, at - 10, at + 1000)["removed"] == 0
    result = apply(root, KEEP_ONE, at + 900, at + 1000)
    assert result == {"removed": 2, "bytes": 2, "why": ""}
    live = ["a.bbbbbbbbbbbb.css", "a.bbbbbbbbbbbb.css.gz", "a.css", "by-hand.txt", "staticfiles.json"]
    assert names(root) == live


def test_kept_releases_and_remembering_alone(root):
    at = time.time()
    for number, letter in enumerate("abc"):
        collect(root, letter)
        assert apply(root, retention.RetentionRules(2, 100, prune=False), at + 5000, at + number)["removed"] == 0
    assert len(names(root)) == 8
    assert apply(root, retention.RetentionRules(2, 100), at + 5000, at + 5000)["removed"] == 2
    assert "a.bbbbbbbbbbbb.css" in names(root)


def test_without_a_manifest_nothing_is_touched(root):
    collect(root, "a")
    for text in (None, "{", "[]", '{"paths": []}'):
        os.unlink(os.path.join(root.path, root.manifest))
        if text is not None:
            with open(os.path.join(root.path, root.manifest), "w", encoding="utf-8") as file:
                file.write(text)
        else:
            open(os.path.join(root.path, root.manifest), "w", encoding="utf-8").close()
        before = names(root)
        assert apply(root, KEEP_ONE, 0, time.time())["why"].endswith("has no manifest")
        assert names(root) == before


def test_the_longest_life_of_a_page_counts(root, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(retention, "apply", lambda _root, rules, *_more: asked.append(rules) or {})
    engine = Engine([mount(root.path, "/static")])
    facts = {"static_at": {"root": "/static", "manifest": root.manifest}}
    entries = [Entry(layout=facts, figures={"html_max_age_seconds": 7200.0}), Entry()]
    rules = {"keep_releases": 5, "html_max_age": 3600, "prune": True}
    retention.apply_for(engine, [CONTAINER], APP, entries, rules)
    assert asked == [retention.RetentionRules(5, 7200, True)]
    assert "no directory of this host" in retention.apply_for(engine, [CONTAINER], APP, [Entry()], rules)["why"]


def test_the_oldest_process_without_children_counts():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        # This very process is older, and has a child.
        started = retention.oldest_worker(Engine(pid=child.pid), [CONTAINER])
        assert time.time() - 60 < started <= time.time()
        assert retention.oldest_worker(Engine(pid=0), [CONTAINER]) == pytest.approx(time.time(), abs=60)
    finally:
        child.communicate()


def plant_memory(root, names):
    """Write what a container that means harm would have us remember, in the way of earlier versions."""
    memory = mem.empty()
    earlier = [{"hash": f"x{number}", "gone": names, "first": 1.0, "last": 2.0} for number in range(8)]
    memory.update(turn=5, since=1.0, newest={"hash": "h", "names": ["a.css"], "first": 1.0}, earlier=earlier)
    assert mem.save(root.path, memory) == ""


def test_what_the_app_says_was_there_is_not_believed(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep me")
    collect(root, "a", "upload.txt")
    os.symlink(outside, os.path.join(root.path, "e"))
    plant_memory(root, ["e/precious", "upload.txt", "../outside/precious"])
    at = time.time()
    for now in (at, at + 5000):
        assert apply(root, KEEP_ONE, at + 10000, now)["removed"] == 0
    assert (outside / "precious").read_text() == "keep me"
    assert "upload.txt" in names(root)


def test_nothing_is_written_or_given_away_where_links_lead(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").write_text("root")
    os.chmod(outside / "shadow", 0o600)
    collect(root, "a")
    os.symlink(outside, os.path.join(root.path, ".juno"))
    before = [(one.stat().st_mtime_ns, one.stat().st_uid) for one in (outside, outside / "shadow")]
    assert apply(root, KEEP_ONE, 0, time.time())["why"] == ""
    assert before == [(one.stat().st_mtime_ns, one.stat().st_uid) for one in (outside, outside / "shadow")]
    assert os.listdir(outside) == ["shadow"]
    memory = tmp_path / "state" / retention.MEMORY
    assert memory.stat().st_mode & 0o777 == 0o600


def test_a_link_in_the_place_of_the_root_or_its_manifest_is_not_followed(tmp_path):
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "staticfiles.json").write_text('{"paths": {}}')
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "deep").symlink_to(secret)
    facts = {"root": "/static/deep", "manifest": "staticfiles.json"}
    assert retention.root_of(Engine([mount(volume, "/static")]), [CONTAINER], facts) is None
    # What is mounted lies in the checkout, which is mounted too.
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "static").symlink_to(secret)
    mounts = [mount(tmp_path / "app" / "static", "/static")]
    facts = {"root": "/static", "manifest": "staticfiles.json"}
    assert retention.root_of(Engine(mounts), [CONTAINER], facts, str(tmp_path / "app")) is None
    (volume / "staticfiles.json").symlink_to(secret / "staticfiles.json")
    assert retention.Root(str(volume), "staticfiles.json").read() is None
    os.unlink(volume / "staticfiles.json")
    os.mkfifo(volume / "staticfiles.json")
    assert retention.Root(str(volume), "staticfiles.json").read() is None


def test_what_another_root_held_is_forgotten(root, tmp_path):
    collect(root, "a")
    at, memory = time.time(), str(tmp_path / "memory.json")
    retention.apply(root, KEEP_ONE, at, at, memory)
    assert retention.load(memory, root.path)["newest"]["hash"] == "a"
    assert retention.load(memory, "/elsewhere")["newest"] is None
