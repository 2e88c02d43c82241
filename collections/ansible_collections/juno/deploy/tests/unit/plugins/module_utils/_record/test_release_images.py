# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image tags go."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._record import release_images
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.mark.parametrize(
    ("tags", "kept", "gone"),
    [
        ([], [], []),
        (["jobs-web:latest", "jobs-web:juno-aaaaaaaaaaaa"], ["a" * 40], []),
        (["jobs-web:juno-aaaaaaaaaaaa", "jobs-web:juno-bbbbbbbbbbbb"], ["a" * 40], ["jobs-web:juno-bbbbbbbbbbbb"]),
        (["a-web:v1"], ["b" * 40], []),
        (["here:5000/x:juno-cccccccccccc", "here:5000/juno-x:1"], [], ["here:5000/x:juno-cccccccccccc"]),
    ],
)
def test_stale_tags(tags, kept, gone):
    assert release_images.stale_tags(tags, kept) == gone


A, B = "a" * 40, "b" * 40
TAG_A, TAG_B = (f"juno-{one[:12]}" for one in (A, B))
REFERENCES = {number: f"ghcr.io/me/shop@sha256:{number}" for number in (1, 2, 3)}


def release(number: int, commit: str, image: int, outcome: str = "done", **more: t.Any) -> Entry:
    images = {"web": f"sha256:{image}"} if outcome == "done" else {}
    known = {"images": images, "pulled": {"web": REFERENCES[image]}, **more}
    return Entry(number=number, commit=commit, outcome=outcome, **known)


@pytest.fixture
def pulled(world: World) -> World:
    """Return a droplet that has pulled three images, each with the names that a release gave it."""
    world.names = {"ghcr.io/me/shop": "sha256:3", f"jobs-web:{TAG_A}": "sha256:3"}
    for number, reference in REFERENCES.items():
        world.names[f"jobs-web:{TAG_A}-{number}"] = f"sha256:{number}"
        world.digests[f"sha256:{number}"] = [reference]
    # Another project runs the second.
    world.names[f"other-web:{TAG_A}"] = "sha256:2"
    world.unnamed = set()
    return world


def test_what_was_pulled_gets_names_in_a_repository_of_the_project(pulled):
    entry = release(4, B, 3, task_images={"migrate": "sha256:2", "gone": "sha256:none"})
    release_images.name(pulled, pulled.app, entry)
    tags = [("sha256:2", "migrate"), ("sha256:3", "web")]
    assert pulled.log == [f"tag {one} jobs-{name}:{TAG_B}{end}" for one, name in tags for end in ("", "-4")]


def test_what_was_built_keeps_its_repository_whatever_other_names_it_has(world):
    world.names = {"jobs-aaa": "sha256:1", f"jobs-web:{TAG_A}": "sha256:1"}
    release_images.name(world, world.app, Entry(number=2, commit=B, images={"web": "sha256:1"}))
    assert world.log == [f"tag sha256:1 jobs-web:{TAG_B}", f"tag sha256:1 jobs-web:{TAG_B}-2"]


ENTRIES = [release(1, A, 1), release(2, A, 2), release(3, A, 3)]


@pytest.mark.parametrize(
    ("entries", "keep", "kept"),
    [
        ([], 5, set()),
        (ENTRIES, 2, {"sha256:2", "sha256:3"}),
        (ENTRIES, 5, {"sha256:1", "sha256:2", "sha256:3"}),
        # One that is released again is one.
        ([*ENTRIES, release(4, A, 3), release(5, A, 3)], 2, {"sha256:2", "sha256:3"}),
        # After a rollback.
        ([*ENTRIES, release(4, A, 1)], 2, {"sha256:1", "sha256:3"}),
        ([*ENTRIES, release(4, A, 1, "failed")], 1, {"sha256:3"}),
        ([release(1, A, 1, task_images={"migrate": "sha256:m"})], 1, {"sha256:1", "sha256:m"}),
        # What is built of one commit again is the same, also beside one that isn't built.
        (
            [release(1, A, 1), *(Entry(number=n, commit=B, outcome="done", images={"web": f"b{n}"}) for n in (2, 3))],
            2,
            {"sha256:1"},
        ),
    ],
)
def test_of_one_commit_as_many_images_are_kept_as_of_different_ones(entries, keep, kept):
    foreign = {"sha256:1", "sha256:2", "sha256:3", "sha256:m", "sha256:others"}
    assert release_images.kept_images(entries, keep, foreign) == kept


@pytest.mark.parametrize(
    ("entries", "keep", "gone"),
    [
        (ENTRIES, 3, []),
        # What another project has named, stays.
        (ENTRIES, 1, [f"jobs-web:{TAG_A}-1", f"jobs-web:{TAG_A}-2", REFERENCES[1]]),
        (ENTRIES, 2, [f"jobs-web:{TAG_A}-1", REFERENCES[1]]),
        # Of a release that was undone, too.
        ([release(1, A, 1, "failed"), *ENTRIES[1:]], 5, [f"jobs-web:{TAG_A}-1", REFERENCES[1]]),
        # A kept image loses the names of commits that aren't kept.
        (
            [*ENTRIES, release(4, B, 3)],
            1,
            [f"jobs-web:{TAG_A}{one}" for one in ("", "-1", "-2", "-3")] + [REFERENCES[1]],
        ),
    ],
)
def test_what_nobody_needs_loses_its_names_and_then_its_digest(pulled, entries, keep, gone):
    assert release_images.prune(pulled, pulled.app, entries, keep) == gone
    assert pulled.log == [f"untag {one}" for one in gone]
    left = {one["Id"] for one in pulled.images()}
    assert ("sha256:1" in left) is (REFERENCES[1] not in gone)
    assert {"sha256:2", "sha256:3"} <= left


def test_one_that_a_container_still_has_stays(pulled):
    pulled.add("web-1", image="sha256:1")
    assert release_images.prune(pulled, pulled.app, ENTRIES, 2) == [f"jobs-web:{TAG_A}-1"]
