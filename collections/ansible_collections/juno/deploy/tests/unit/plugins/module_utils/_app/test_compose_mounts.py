# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services see the app's code by a mount."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts

from .compose_projects import CONFIG


def test_inside_is_not_a_matter_of_prefixes():
    assert compose_mounts.inside("/root/JunoJobs/a", "/root/JunoJobs")
    assert not compose_mounts.inside("/root/JunoJobs2", "/root/JunoJobs")


def test_mounts_code():
    assert compose_mounts.mounts_code(CONFIG["services"]["web"], "/root/JunoJobs")
    assert not compose_mounts.mounts_code(CONFIG["services"]["memcached"], "/root/JunoJobs")


def test_a_folder_with_code_is_mounted_code(tmp_path):
    for name in ("app/shop/__init__.py", "media/deep/down/here/and/__init__.py", "conf/nginx.conf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    def service(*sources: str) -> dict:
        return {"volumes": [{"type": "bind", "source": f"{tmp_path}{one}", "target": "/x"} for one in sources]}

    directory = str(tmp_path)
    assert compose_mounts.mounts_code(service("/app"), directory)
    assert not compose_mounts.mounts_code(service("/media", "/conf", "/none", "/conf/nginx.conf"), directory)
    assert compose_mounts.mounted_sources(service("", "/app"), directory) == ["", "app"]
    assert compose_mounts.mounted_sources(service("/app", "-other"), directory) == ["app"]
    assert (
        compose_mounts.mounted_sources({"volumes": [{"type": "volume", "source": "x", "target": "/x"}]}, directory)
        == []
    )
    assert compose_mounts.mounted_sources(
        {"volumes": [{"type": "bind", "source": "/", "target": "/x"}]}, directory
    ) == [""]
