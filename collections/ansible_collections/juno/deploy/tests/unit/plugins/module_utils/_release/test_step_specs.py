# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step is to do: by the release's options, and by what was found before it."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._database import backup as database_backup
from ansible_collections.juno.deploy.plugins.module_utils._database import migrations, reverse_migrations
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic, runner
from ansible_collections.juno.deploy.plugins.module_utils._release import steps
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._release.releases import (
    BEGUN,
    BUILT,
    SWITCHED,
    VERIFIED,
    do,
    release,
)


@pytest.mark.parametrize(
    ("strategy", "frontend", "pages", "command"),
    [("rolling", True, (), ("make",)), ("reload", False, ({"path": "/a/"},), ())],
)
def test_what_is_built(tmp_path, asked, strategy, frontend, pages, command):
    notes = asked(build, "build", BUILT)
    at = release(
        tmp_path,
        plan={"strategy": strategy, "frontend": frontend, "pulled": {"queue": "shop@sha256:1"}},
        pages=[{"path": "/a/"}],
        headers={"Host": "example.org", "X-Port": 80},
        build={"frontend": ["make"], "check_timeout_seconds": 9},
        base_url="http://127.0.0.1:8001",
        update_services=["db"],
        boot_timeout_seconds=7,
    )
    assert do("build", at)["images"] == BUILT["images"]
    ((_run, app, spec),) = notes
    assert (app, spec.commit, spec.build, spec.collect, spec.translate) == (at.app, "c2", True, True, False)
    assert (spec.frontend, spec.pages, spec.readiness_path) == (command, pages, "/a/")
    assert (spec.headers, spec.pulled) == ({"Host": "example.org", "X-Port": "80"}, {"queue": "shop@sha256:1"})
    assert (spec.check_command, spec.check_timeout_seconds) == (("python", "manage.py", "check"), 9)
    assert (spec.base_url, spec.update_services, spec.boot_timeout_seconds) == (
        "http://127.0.0.1:8001",
        ("db",),
        7,
    )


NAMED = {"Host": "www.example.org", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("site", "base_url", "headers", "asked_at", "sent"),
    [
        (None, "", {}, "", {}),
        (None, "http://127.0.0.1:8001", {"X-Port": 80}, "http://127.0.0.1:8001", {"X-Port": "80"}),
        # A front proxy of the project's own tells it, as it was found when the release began.
        ({"base_url": "https://127.0.0.1", "headers": NAMED}, "", {}, "https://127.0.0.1", NAMED),
        ({"base_url": "http://127.0.0.1", "headers": {}}, "", {"X-Port": 80}, "http://127.0.0.1", {"X-Port": "80"}),
        ({"base_url": "", "headers": NAMED}, "", {}, "", NAMED),
    ],
)
def test_where_and_as_whom_the_site_is_asked(tmp_path, asked, site, base_url, headers, asked_at, sent):
    at = release(tmp_path, {"build": BUILT, "switch": SWITCHED}, base_url=base_url, headers=headers)
    at.results["begin"] = {**at.results["begin"], **({"site": site} if site else {})}
    notes = asked(build, "build", BUILT)
    asked(switch, "switch", SWITCHED)
    asked(verify_site, "verify", VERIFIED)
    for step in ("build", "switch", "verify"):
        do(step, at)
    (*_built, built), (*_switched, switched), (params, _warn) = notes
    assert [(spec.base_url, spec.headers) for spec in (built, switched)] == [(asked_at, sent)] * 2
    assert (params["base_url"], params["host"]) == (SWITCHED["base_url"], sent.get("Host"))
    assert params["forwarded_proto"] == sent.get("X-Forwarded-Proto")


@pytest.mark.parametrize(("shared_cache_version", "value"), [(None, 7), ({**BEGUN["cache_version"], "value": 9}, 9)])
def test_hosts_that_share_their_caches_share_the_cache_version(tmp_path, asked, shared_cache_version, value):
    notes = asked(build, "build", BUILT)
    do("build", release(tmp_path), cache_version=shared_cache_version)
    assert notes[0][2].cache_version == CacheVersion(value, "CACHE_VERSION")


@pytest.mark.parametrize("prune", [True, False])
def test_all_static_files_can_be_collected_from_scratch(tmp_path, asked, monkeypatch, prune):
    notes = asked(collectstatic, "collect", {"replaced_names": []})
    monkeypatch.setattr(collectstatic, "made_elsewhere", lambda _params: ["a"])
    monkeypatch.setattr(runner, "places", lambda params: [f"in {params['project']} {params['service']}"])
    at = release(
        tmp_path,
        purpose="restart",
        recollect=True,
        switch={"prune_static": prune},
        record={"keep_releases": 2},
        verify={"html_max_age": 60},
        caches={"settings": "site.settings"},
        build={"build_timeout_seconds": 90},
    )
    assert do("build", at) == {"replaced_names": []}
    ((place, params, more),) = notes
    assert place == "in jobs web"
    assert more == {"dry_run": False, "with_diff": False, "started": ["a"] if prune else None}
    rules = {name: params[name] for name in ("prune", "keep_releases", "html_max_age", "force", "timeout_seconds")}
    assert rules == {
        "prune": prune,
        "keep_releases": 2,
        "html_max_age": 60,
        "force": True,
        "timeout_seconds": 90,
    }
    assert (params["settings"], params["manage_py"], params["docker_host"]) == ("site.settings", "manage.py", None)


def test_what_is_migrated(tmp_path, asked):
    notes = asked(migrations, "migrate")
    request = {"backup": "always", "backup_timeout_seconds": 3, "timeout_seconds": 4, "lock_timeout_seconds": 5}
    at = release(tmp_path, {"build": BUILT}, migrate=request)
    do("migrate", at)
    backup, databases = database_backup.BackupSpec("always", 3), BUILT["migrations"]["databases"]
    spec = migrations.MigrateSpec("c2", BUILT["images"], 4, databases, backup=backup, lock_timeout_seconds=5)
    assert notes == [(steps.run, at.app, spec)]
    at.results["build"] = {**BUILT, "migrations": None}
    do("migrate", at)
    assert notes[1][2].databases == []  # they are looked up


def test_what_is_reversed_has_the_code_that_served(tmp_path, asked):
    notes = asked(reverse_migrations, "reverse_later")
    do("reverse", release(tmp_path, purpose="rollback"))
    ((_run, _app, spec),) = notes
    assert (spec.commit, spec.images, spec.to) == ("c1", BEGUN["serving_images"], {"jobs": "0001_a"})


@pytest.mark.parametrize(
    ("purpose", "built", "commit", "images", "collects", "updates", "clears"),
    [
        ("deploy", BUILT, "c2", BUILT["images"], False, ("db",), True),
        ("rollback", None, "c2", BEGUN["images"], True, (), True),
        ("restart", None, "", BEGUN["images"], False, (), False),
    ],
)
def test_what_is_switched_to(tmp_path, asked, purpose, built, commit, images, collects, updates, clears):
    notes = asked(switch, "switch", SWITCHED)
    at = release(
        tmp_path,
        {"build": built} if built else {},
        purpose=purpose,
        update_services=["db"],
        proxy={"image": "haproxy:3.1", "pull": True, "trusted_proxies": ["10.0.0.0/8"], "tcp_ports": [2222]},
        switch={"purge_bytecode": True, "grace_seconds": 9, "warm_rate": 3},
        pages=[{"path": "/a/"}, {"path": "/b/"}],
        verify={"html_max_age": 60},
    )
    do("switch", at)
    spec = notes[0][2]
    assert (spec.commit, spec.images, spec.strategy) == (commit, images, "rolling")
    assert (spec.collect, spec.update_services, spec.purge_bytecode) == (collects, updates, bool(commit))
    assert spec.caches == (at.spec["caches"] if clears else {})
    assert (spec.proxy_image, spec.proxy_pull, spec.tcp_ports) == ("haproxy:3.1", True, (2222,))
    assert [str(one) for one in spec.trusted_proxies] == ["10.0.0.0/8"]
    assert (spec.grace_seconds, spec.warm_rate, spec.warm_paths) == (9, 3, ("/a/", "/b/"))
    assert spec.static_rules == {"keep_releases": 5, "html_max_age": 60, "prune": True}
    assert spec.cache_version == CacheVersion(7, "CACHE_VERSION")


@pytest.mark.parametrize(("asks", "paths"), [(True, ["/shop/"]), (False, [])])
def test_containers_are_asked_for_no_page_where_a_front_proxy_rewrites_paths(tmp_path, asked, asks, paths):
    notes = asked(switch, "switch", SWITCHED)
    pages, verify = [{"path": "/shop/"}], {"check_containers": asks}
    do("switch", release(tmp_path, {"build": BUILT}, pages=pages, verify=verify))
    assert [one["path"] for one in notes[0][2].pages] == paths


@pytest.mark.parametrize("clear", ["none", "naming"])
def test_caches_of_which_something_stays_are_not_cleared_in_the_switch(tmp_path, asked, clear):
    notes = asked(switch, "switch", SWITCHED)
    do("switch", release(tmp_path, {"build": BUILT}, plan={"clear": clear}))
    assert notes[0][2].caches == {}


def test_the_build_may_have_taken_the_cache_version_away(tmp_path, asked):
    notes = asked(switch, "switch", SWITCHED)
    lost = {"value": 0, "variable": "CACHE_VERSION", "others": ["disk"], "why": "its settings don't honour it"}
    do("switch", release(tmp_path, {"build": {**BUILT, "cache_version": lost}}, switch={"warm_paths": ["/c/"]}))
    assert notes[0][2].cache_version == CacheVersion(0, "CACHE_VERSION", ("disk",), "its settings don't honour it")
    assert notes[0][2].warm_paths == ("/c/",)


@pytest.mark.parametrize(("port", "protocol"), [(8000, "uwsgi"), (None, None)])
def test_containers_are_asked_as_the_front_proxy_asks(tmp_path, asked, port, protocol):
    notes = asked(verify_site, "verify", VERIFIED)
    do("verify", release(tmp_path, {"switch": {**SWITCHED, "uwsgi_port": port}}, verify={"release_header": ""}))
    ((params, _warn),) = notes
    assert (params["port"], params["protocol"]) == (port, protocol)


@pytest.mark.parametrize(
    ("purpose", "header", "mark"),
    [
        ("deploy", "X-Release", {"value": "c2", "header": "X-Release", "pattern": None}),
        ("rollback", "X-Release", {"value": "c2", "header": "X-Release", "pattern": None}),
        ("restart", "X-Release", None),
        ("deploy", "", None),
    ],
)
def test_what_is_verified(tmp_path, asked, purpose, header, mark):
    notes = asked(verify_site, "verify", VERIFIED)
    at = release(
        tmp_path,
        {"switch": {**SWITCHED, "answered_before": ["/old/"]}},
        purpose=purpose,
        pages=[{"path": "/a/", "status": 200, "contains": ["Edition 2"], "excludes": []}],
        headers={"Host": "example.org", "X-Forwarded-Proto": "https"},
        verify={"release_header": header, "compare": True, "sitemap_pages": 5},
        docker_host="unix:///run/other.sock",
    )
    assert do("verify", at) == VERIFIED
    ((params, _warn),) = notes
    assert set(params) == set(verify_site.ARGUMENT_SPEC)
    assert params["pages"] == [{"path": "/a/", "status": 200, "contains": ["Edition 2"], "excludes": []}]
    assert (params["base_url"], params["host"], params["forwarded_proto"]) == (
        "http://127.0.0.1:8001",
        "example.org",
        "https",
    )
    assert (params["project"], params["service"], params["docker_host"]) == ("jobs", "web", "unix:///run/other.sock")
    assert (params["release"], params["answered_before"]) == (mark, ["/old/"])
    assert (params["compare"], params["sitemap_pages"], params["timeout_seconds"]) == (True, 5, 10)
