# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk is too full for a deploy, and what is said then."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import disk
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

MIB = 2**20
APP = App("/root/site", "site", "web", (), (), "", "/var/lib/juno")
ENGINE = {"DockerRootDir": "/var/lib/docker", "DriverStatus": [["Backing Filesystem", "extfs"]]}
SNAPSHOTTER = {**ENGINE, "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}


@pytest.mark.parametrize(
    ("engine", "paths"),
    [
        (ENGINE, ["/var/lib/docker", "/var/lib/juno", "/root/site"]),
        (SNAPSHOTTER, ["/var/lib/containerd", "/var/lib/juno", "/root/site"]),
        ({}, ["/var/lib/juno", "/root/site"]),
    ],
)
def test_needs(engine, paths):
    assert [need.path for need in disk.needs(APP, engine)] == paths


def rooms(**free: disk.Room | None):
    by_path = {"/var/lib/docker": "engine", "/var/lib/juno": "state", "/root/site": "app"}
    return lambda path: free[by_path[path]]


def apart(engine: int, state: int, app: int):
    return rooms(engine=disk.Room(1, engine), state=disk.Room(2, state), app=disk.Room(3, app))


@pytest.mark.parametrize(
    ("look", "refusal"),
    [
        (apart(512 * MIB, 128 * MIB, 64 * MIB), ""),
        (
            apart(511 * MIB, 10**12, 10**12),
            (
                r"Only 511 MiB are free for the Docker Engine's images \(/var/lib/docker\), a deploy wants 512 MiB; .*"
                r"free disk space \(docker system df .*docker builder prune.*'record.build_cache_keep_mb'"
            ),
        ),
        (
            apart(10**12, 127 * MIB, 10**12),
            (
                r"Only 127 MiB are free for the state root \(/var/lib/juno\), a deploy wants 128 MiB.*"
                "copies of databases in its backup directories.*'record.keep_backups'"
            ),
        ),
        (apart(10**12, 10**12, 0), r"Only 0 MiB are free for the app's checkout \(/root/site\), a deploy wants 64 MiB"),
        # One file system for all has to have room for all.
        (rooms(**dict.fromkeys(("engine", "state", "app"), disk.Room(1, 704 * MIB))), ""),
        (
            rooms(**dict.fromkeys(("engine", "state", "app"), disk.Room(1, 703 * MIB))),
            (
                r"Only 703 MiB are free for the Docker Engine's images \(/var/lib/docker\) and for the state root "
                r"\(/var/lib/juno\) and for the app's checkout \(/root/site\), a deploy wants 704 MiB"
            ),
        ),
        (
            rooms(engine=disk.Room(1, 10**12, 4999), state=disk.Room(2, 10**12, 5000), app=disk.Room(2, 10**12)),
            r"Only 4999 more files can be made where the Docker Engine's images is \(/var/lib/docker; df --inodes",
        ),
        # What this host can't tell is no reason.
        (rooms(engine=None, state=disk.Room(2, 10**12), app=disk.Room(2, 10**12)), ""),
    ],
)
def test_require(look, refusal):
    wanted = disk.needs(APP, ENGINE)
    if refusal:
        with pytest.raises(BadInputError, match=refusal):
            disk.require(wanted, look)
    else:
        assert disk.require(wanted, look)["/root/site"] >= 64 * MIB


def test_a_directory_that_is_yet_to_be_made_is_looked_for_above(tmp_path):
    there = disk.look(str(tmp_path))
    assert disk.look(str(tmp_path / "a" / "b")).device == there.device


def test_an_engine_elsewhere_is_not_of_this_disk(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    monkeypatch.setattr(disk, "ENGINE_BYTES", 2**62)
    with pytest.raises(BadInputError, match="Docker Engine's images"):
        disk.require_room(world.app)
    elsewhere = App(world.app.path, "jobs", "web", (), (), "tcp://elsewhere:2376", world.app.state_root)
    assert disk.require_room(elsewhere) > 0
