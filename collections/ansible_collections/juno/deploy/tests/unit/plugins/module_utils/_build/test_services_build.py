# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the services is built, pulled, and started before the check."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError
from ansible_collections.juno.deploy.plugins.module_utils._build import build_spec, services_build
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

ONCE = {"condition": "service_completed_successfully"}
APP = {"build": {"context": "/app"}}
CONFIG = {
    "name": "jobs",
    "services": {
        "web": {**APP, "image": "jobs", "depends_on": {"assets": ONCE, "db": {"condition": "service_healthy"}}},
        "assets": APP,
        "base": {"build": {"context": "/app/base"}, "image": "jobs"},
        "db": {"build": {"context": "/app/db"}},
        "cache": {"image": "memcached:1.6"},
    },
}


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.config = CONFIG
    return made


@pytest.mark.parametrize(
    ("more", "app_too", "built"),
    [
        ([], True, {"web", "assets", "base"}),
        (["db", "cache"], True, {"web", "assets", "base", "db"}),
        (["db"], False, {"db"}),
        ([], False, set()),
    ],
)
def test_what_is_built(more, app_too, built):
    assert set(services_build.to_build(CONFIG, ("web",), more, app_too=app_too)) == built


def pulled(world: World, *asked: str, rc: int = 0) -> tuple[list[str], list[list[str]]]:
    """Pull for the database and the cache; return what is told, and what was run."""
    ran = []

    def run(argv, **_more):
        ran.append(argv)
        return CommandResult(argv, rc, "", "no such host\n")

    return services_build.pull(run, world, CONFIG, ["db", "cache"], asked), ran


def test_an_image_is_pulled_where_it_is_missing_or_asked_for(world):
    assert len(pulled(world)[1]) == 1
    world.names["memcached:1.6"] = "sha256:m"
    assert pulled(world)[1] == []
    assert pulled(world, "cache") == ([], [["docker", "pull", "--quiet", "memcached:1.6"]])


def test_one_that_can_not_be_pulled_is_told(world):
    with pytest.raises(CommandError, match=r"memcached:1.6 of the service 'cache' can't be pulled \(no such host\)"):
        pulled(world, rc=1)
    world.names["memcached:1.6"] = "sha256:m"
    assert "the one here stays (no such host" in pulled(world, "cache", rc=1)[0][0]


ONE = f"ghcr.io/me/shop@sha256:{'1' * 64}"
SHOP = {"name": "jobs", "services": {"web": {"image": "ghcr.io/me/shop"}, "queue": {"image": "ghcr.io/me/shop"}}}


def take(world: World, taken: dict[str, str]) -> dict[str, str]:
    """Take them for a commit."""
    spec = build_spec.BuildSpec("c" * 40, True, (), 60, 60, pulled=taken)
    return services_build.take(world.run, world, SHOP, spec, ("web", "queue"))


NAMED = {name: f"jobs-{name}:juno-{'c' * 12}" for name in ("web", "queue")}


def test_an_image_of_a_registry_is_pulled_once_and_by_its_digest(world):
    world.registry["ghcr.io/me/shop"] = ONE
    world.names["ghcr.io/me/shop"] = "sha256:old"
    assert take(world, {"web": ONE, "queue": ONE}) == NAMED
    assert world.log == [f"pull {ONE}", *(f"tag {ONE} {name}" for name in NAMED.values())]
    assert {world.names[one] for one in NAMED.values()} == {world.pulled_id(ONE)}
    # What serves is found by it.
    assert world.names["ghcr.io/me/shop"] == "sha256:old"


def test_one_that_is_here_is_only_named(world):
    assert take(world, {"web": "sha256:old", "queue": "sha256:old"}) == NAMED
    assert [one for one in world.log if one.startswith("pull")] == []


def test_a_pull_that_fails_has_touched_nothing(world):
    with pytest.raises(CommandError, match=r"of the service 'web' can't be pulled \(no such host\); nothing"):
        take(world, {"web": ONE, "queue": ONE})
    assert world.log == [f"pull {ONE}"]


def test_what_is_not_built_is_not_named_among_what_is():
    assert services_build.to_build(SHOP, ("web", "queue"), [], app_too=True) == []


@pytest.mark.parametrize(("images", "references"), [(["web", "queue"], {"web": ONE}), (["queue"], {}), ([], {})])
def test_what_the_journal_keeps_of_them(images, references):
    spec = build_spec.BuildSpec("c", True, (), 60, 60, pulled={"web": ONE, "queue": "sha256:old"})
    assert spec.references(images) == references


def starter(world: World) -> services.Starter:
    """Return what starts services."""
    return services.starter_of(world.work())


def test_before_the_check_its_needs_are_started_but_what_runs_with_a_release(world):
    world.health["db"] = "healthy"
    world.names["jobs-db:juno-1"] = "sha256:new"
    started = services_build.start_for_check(starter(world), ["assets", "cache", "db"], {"db": "jobs-db:juno-1"}, "/co")
    assert started == ["db"]
    assert world.log == ["tag jobs-db:juno-1 jobs-db:latest", "create db=1", "start db-1"]


def test_what_is_there_is_not_touched(world):
    assert services_build.start_for_check(starter(world), ["cache"], {}, "/co") == []
    assert world.log == []


def test_what_only_the_commit_has_can_not_be_mounted(tmp_path):
    place, checkout = tmp_path / "app", tmp_path / "checkout"
    place.mkdir()
    checkout.mkdir()
    bind = {"type": "bind", "source": str(place / "init.sql"), "target": "/init.sql"}
    config = {"services": {"db": {"volumes": [bind, {"type": "volume", "source": "data", "target": "/data"}]}}}
    services_build.require_files(config, ["db"], str(place), str(checkout))  # a folder that Docker makes
    (checkout / "init.sql").write_text("")
    with pytest.raises(BadInputError, match=r"mounts .*init\.sql, which only the newer commit has; .*git -C .* pull"):
        services_build.require_files(config, ["db"], str(place), str(checkout))
    (place / "init.sql").write_text("")
    services_build.require_files(config, ["db"], str(place), str(checkout))
