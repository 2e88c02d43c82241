# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted in a throwaway container, and its images."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway_override


def bind(source, target):
    return {"type": "bind", "source": source, "target": target}


def test_mounts(tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "conf").mkdir(parents=True)
    service = {
        "volumes": [
            bind("/a", "/code"),
            bind("/a/conf", "/etc/app/"),
            bind("/a/data", "/data"),
            bind("/srv", "/srv"),
            {"type": "volume", "source": "static", "target": "/code/staticfiles"},
            {"type": "tmpfs", "target": "/run"},
        ]
    }
    assert throwaway_override.mounts(service, "/a", str(checkout)) == [
        {"target": "/code", "kind": "checkout", "seen": "/juno/app", "source": "/a"},
        {"target": "/etc/app", "kind": "checkout", "seen": "/juno/app/conf", "source": "/a/conf"},
        {"target": "/data", "kind": "live", "seen": "/data", "source": "/a/data"},
        {"target": "/srv", "kind": "live", "seen": "/srv", "source": "/srv"},
        {"target": "/code/staticfiles", "kind": "volume"},
        {"target": "/run", "kind": "container"},
    ]
    assert throwaway_override.mounts({}, "/a", str(checkout)) == []


@pytest.mark.parametrize(("kind", "mounted"), [("checkout", True), ("live", False), ("volume", False)])
def test_the_directory_is_mounted_again_only_where_a_checkout_hides_it(kind, mounted):
    override = {"services": {"web": {"volumes": [1]}, "cron": {"image": "i"}}}
    made = throwaway_override.with_second_place(override, "web", [{"kind": kind}], "/a")
    assert (bind("/a", "/juno/app") in made["services"]["web"]["volumes"]) is mounted
    assert made["services"]["cron"] == {"image": "i"}
    assert override["services"]["web"] == {"volumes": [1]}


@pytest.mark.parametrize(
    ("images", "services"),
    [
        ({}, {"web": {"volumes": [1]}}),
        ({"web": "w:1", "cron": "c:1"}, {"web": {"volumes": [1], "image": "w:1"}, "cron": {"image": "c:1"}}),
        ({"shop": "s:1"}, {"web": {"volumes": [1]}, "shop": {"pull_policy": "never", "image": "s:1"}}),
    ],
)
def test_without_a_build_the_mounts_stay_and_the_images_named(images, services):
    override = {"services": {"web": {"image": "i", "build": {}, "volumes": [1]}, "cron": {"image": "i"}}}
    override["services"] |= {"shop": {"image": "i", "pull_policy": "never"}} if "shop" in images else {}
    assert throwaway_override.with_images(override, images) == {"services": services}


def test_it_takes_the_processor_from_nobody():
    override = {"services": {"web": {"image": "i", "cpu_shares": 4096}, "cron": {"image": "i"}}}
    made = throwaway_override.with_low_priority(override, "web")
    assert made["services"] == {"web": {"image": "i", "cpu_shares": 128}, "cron": {"image": "i"}}
    assert throwaway_override.with_low_priority({"services": {}}, "web") == {"services": {"web": {"cpu_shares": 128}}}
