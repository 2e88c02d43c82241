# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How front proxies are told to check their configuration, and to read it."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import front_reload
from ansible_collections.juno.deploy.plugins.module_utils._app.front_proxy import FrontProxy


@pytest.mark.parametrize(
    ("service", "check", "reload"),
    [
        ({"image": "nginx:1.28"}, "nginx -t", "nginx -s reload"),
        (
            {"image": "a", "command": ["nginx", "-c", "/etc/a.conf", "-g", "daemon off;"]},
            "nginx -t -c /etc/a.conf",
            "nginx -s reload -c /etc/a.conf",
        ),
        ({"image": "openresty/openresty"}, "openresty -t", "openresty -s reload"),
        (
            {"image": "caddy:2"},
            "caddy validate --config /etc/caddy/Caddyfile",
            "caddy reload --config /etc/caddy/Caddyfile",
        ),
        (
            {"image": "caddy:2", "command": ["caddy", "run", "--config=/a/site.txt", "--adapter", "caddyfile"]},
            "caddy validate --config /a/site.txt --adapter caddyfile",
            "caddy reload --config /a/site.txt --adapter caddyfile",
        ),
        ({"image": "httpd:2.4"}, "httpd -t", "httpd -k graceful"),
    ],
)
def test_their_own_commands(tmp_path, service, check, reload):
    found = front_reload.of_service(service, str(tmp_path))
    assert (" ".join(found.check), " ".join(found.reload)) == (check, reload)


@pytest.mark.parametrize("image", ["traefik", "haproxy", "varnish", "redis"])
def test_who_has_none(tmp_path, image):
    assert front_reload.of_service({"image": image}, str(tmp_path)) is None


def bind(source):
    return {"type": "bind", "source": str(source), "target": "/etc/nginx"}


def test_whose_folders_are_read_again(tmp_path):
    """A file that is mounted by itself stays what it was, and what only waits for the site is none of them."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "a.conf").write_text("")
    services = {
        "nginx": {"image": "nginx", "volumes": [bind(tmp_path / "conf")]},
        "file": {"image": "nginx", "volumes": [bind(tmp_path / "a.conf")]},
        "all": {"image": "nginx", "volumes": [bind(tmp_path)]},
        "traefik": {"image": "traefik", "volumes": [bind(tmp_path / "conf")]},
        "media": {"image": "nginx", "volumes": [bind(tmp_path / "conf")]},
    }
    front = FrontProxy(services=("nginx", "file", "all", "traefik", "gone"))
    assert front_reload.reloads({"services": services}, front, str(tmp_path)) == {"nginx"}
