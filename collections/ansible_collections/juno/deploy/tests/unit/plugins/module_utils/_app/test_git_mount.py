# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The git folder, mounted read-only where a container sees the checkout."""

from __future__ import annotations

import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._app import git_mount as it
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, names


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site/.git").mkdir(parents=True)
    return str(tmp_path / "site")


def bind(source, target, **more):
    return {"type": "bind", "source": source, "target": target, **more}


def test_each_place_at_which_the_checkout_is_seen_is_covered(site):
    above = site.rpartition("/")[0]
    volumes = [
        bind(site, "/code/"),
        bind(above, "/all"),
        bind(site + "/media", "/media"),
        {"type": "volume", "target": "/x"},
    ]
    assert it.mounts({"volumes": volumes}, site) == [
        bind(site + "/.git", "/code/.git", read_only=True),
        bind(site + "/.git", "/all/site/.git", read_only=True),
    ]
    assert it.mounts({"volumes": [bind(site, "/code", read_only=True)]}, site) == []
    assert it.mounts({}, site) == []


def test_a_git_folder_that_is_none_is_not_mounted(tmp_path):
    (tmp_path / ".git").write_text("gitdir: /elsewhere")
    assert it.mounts({"volumes": [bind(str(tmp_path), "/code")]}, str(tmp_path)) == []


@pytest.mark.parametrize("environment", [{}, {"V": "1"}])
def test_the_override_has_them_for_each_service(site, environment):
    config = {"services": {name: {"volumes": [bind(site, "/code")]} for name in ("web", "worker")}}
    proxy = names.Proxy("web", (names.Port(80, 8000),), "haproxy", "/edge", "0:0", alias="juno-jobs-web", main=8000)
    text = compose_override.override(proxy, workers=["worker"], environment=environment)
    lines = compose_override.with_mounts(text, it.wanted(config, ["web", "worker"], site)).splitlines()
    volumes = f"    volumes: {json.dumps([bind(site + '/.git', '/code/.git', read_only=True)])}"
    for name in ("web", "worker"):
        assert lines.count(f'  "{name}":') == 1
        assert lines[lines.index(f'  "{name}":') + 1] == volumes
        assert lines.index(f'  "{name}":') < next(at for at, line in enumerate(lines) if line.startswith("networks:"))
    assert lines[0] == compose.MARK
    assert compose_override.is_in("\n".join(lines))


def test_without_anything_to_write_there_is_no_override(site):
    config = {"services": {"web": {"volumes": [bind(site, "/code")]}, "job": {}}}
    assert compose_override.with_mounts("", it.wanted(config, ["job"], site)) == ""
    text = compose_override.with_mounts("", it.wanted(config, ["web"], site))
    assert text.startswith(compose.MARK + '\nservices:\n  "web":\n    volumes: [')
