# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services of a compose project stand before the site, where they ask it, and where visitors come in."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy

NGINX = "events {}\nhttp { server { listen 80; location / { proxy_pass http://web:8000; } } }\n"


def port(published, target=80, **more):
    return {"published": str(published), "target": target, "protocol": "tcp", "mode": "ingress", **more}


def config(site=None, **services):
    return {"name": "jobs", "services": {"web": {"build": {"context": "/srv/jobs"}, **(site or {})}, **services}}


def mounted(directory, name, target="/etc/nginx/nginx.conf"):
    return [{"type": "bind", "source": f"{directory}/{name}", "target": target}]


def test_nginx_with_a_mounted_configuration(tmp_path):
    (tmp_path / "nginx.conf").write_text(NGINX)
    nginx = {"image": "nginx:1.27", "ports": [port(443, 443), port(80)], "volumes": mounted(tmp_path, "nginx.conf")}
    found = front_proxy.find(config(nginx=nginx), "web", str(tmp_path))
    assert found == front_proxy.FrontProxy(("nginx",), ("web",), (8000,), ("http://127.0.0.1", "https://127.0.0.1"), "")


def test_a_configuration_that_is_copied_into_an_image(tmp_path):
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "Dockerfile").write_text('FROM debian\nCOPY site.conf /etc/\nCMD ["nginx"]\n')
    (tmp_path / "proxy" / "site.conf").write_text("upstream app { server site_web:9000; }")
    service = {"build": {"context": f"{tmp_path}/proxy"}, "ports": [port(8001)]}
    found = front_proxy.find(config({"container_name": "site_web"}, proxy=service), "web", str(tmp_path))
    assert (found.services, found.names, found.ports) == (("proxy",), ("web", "site_web"), (9000,))
    assert found.base_urls == ("http://127.0.0.1:8001",)


def test_a_configuration_that_is_copied_from_the_top(tmp_path):
    (tmp_path / "nginx.Dockerfile").write_text("FROM nginx\nCOPY ./deploy/nginx.conf /etc/nginx/nginx.conf\n")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "nginx.conf").write_text(NGINX)
    (tmp_path / "README").write_text("web:1234")
    service = {"build": {"context": str(tmp_path), "dockerfile": "nginx.Dockerfile"}, "ports": [port(80)]}
    assert front_proxy.find(config(nginx=service), "web", str(tmp_path)).ports == (8000,)


@pytest.mark.parametrize(
    "service",
    [
        {"image": "caddy:2", "command": ["caddy", "reverse-proxy", "--from", ":80", "--to", "web:8000"]},
        {"image": "nginx", "environment": {"UPSTREAM": "http://web:8000"}},
        {
            "image": "registry.example.org/front:3",
            "command": "nginx -g 'daemon off;'",
            "environment": {"A": "web:8000"},
        },
    ],
)
def test_what_its_own_entry_says(tmp_path, service):
    found = front_proxy.find(config(front={**service, "ports": [port(80)]}), "web", str(tmp_path))
    assert (found.services, found.ports) == (("front",), (8000,))


def test_a_config_of_compose(tmp_path):
    (tmp_path / "Caddyfile").write_text("example.org {\n  reverse_proxy web:8080\n}\n")
    service = {"image": "caddy:2", "ports": [port(80)], "configs": [{"source": "caddy"}]}
    project = config(front=service) | {"configs": {"caddy": {"file": f"{tmp_path}/Caddyfile"}}}
    assert front_proxy.find(project, "web", str(tmp_path)).ports == (8080,)


@pytest.mark.parametrize(
    ("site", "ports"),
    [
        ({"expose": ["8000"]}, (8000,)),
        ({"expose": ["8000/tcp"]}, (8000,)),
        ({"command": ["gunicorn", "demo.wsgi", "--bind", "0.0.0.0:8000"]}, (8000,)),
        ({"command": ["gunicorn", "-b", ":8000", "demo.wsgi"]}, (8000,)),
        ({"command": "python manage.py runserver 0.0.0.0:8000"}, (8000,)),
        ({"command": ["uvicorn", "demo.asgi:application", "--host", "0.0.0.0", "--port", "8000"]}, (8000,)),
        ({"command": ["daphne", "-b", "0.0.0.0", "-p", "8000", "demo.asgi:application"]}, (8000,)),
        ({"command": ["uwsgi", "--http", ":8000"]}, (8000,)),
    ],
)
def test_a_port_that_only_the_site_tells(tmp_path, site, ports):
    nginx = {"image": "nginx", "ports": [port(80)], "depends_on": {"web": {"condition": "service_started"}}}
    assert front_proxy.find(config(site, nginx=nginx), "web", str(tmp_path)).ports == ports


def test_comments_ask_nobody():
    text = "upstream shop {\n  # server web:5000;\n  server web:8000;\n}\n"
    assert front_proxy.asked_ports(text, ("web",)) == [8000]


def test_who_only_waits_for_a_site_with_a_port_serves_something_else(tmp_path):
    media = {"image": "nginx", "ports": [port(8081)], "depends_on": {"web": {}}}
    assert not front_proxy.find(config({"ports": [port(80, 8000)]}, media=media), "web", str(tmp_path))


def test_the_address_is_that_of_a_proxy_that_asks_the_site(tmp_path):
    nginx = {"image": "nginx", "ports": [port(443, 443)], "environment": {"A": "web:8000"}}
    other = {"image": "nginx", "ports": [port(8080)]}
    assert front_proxy.base_url(config(admin=other, nginx=nginx), "web", str(tmp_path)) == "https://127.0.0.1"


def test_a_port_that_nobody_tells(tmp_path):
    nginx = {"image": "nginx", "ports": [port(80)], "depends_on": {"web": {}}}
    found = front_proxy.find(config(nginx=nginx), "web", str(tmp_path))
    assert "nothing tells at which port 'nginx' asks 'web'" in found.why_not


@pytest.mark.parametrize(
    "service",
    [
        {"image": "prom/prometheus", "command": ["--target", "web:8000"]},
        {"image": "postgres:16"},
        # One of the site's image, a monitor of its tasks, say.
        {"build": {"context": "/srv/jobs"}, "command": "celery flower", "depends_on": {"web": {}}},
        # It uses the host's network, and so the port that the site publishes.
        {"image": "nginx", "network_mode": "host", "depends_on": {"web": {}}},
        # It has nothing to do with the site.
        {"image": "nginx"},
        {"image": "phpmyadmin:apache", "environment": {"A": "web:8000"}},
        {"image": "apache/kafka", "environment": {"A": "web:8000"}},
        # Traefik asks whom labels name.
        {"image": "traefik:v3", "depends_on": {"web": {}}},
    ],
)
def test_what_is_no_front_proxy(tmp_path, service):
    found = front_proxy.find(config(other={"ports": [port(9090)], **service}), "web", str(tmp_path))
    assert not found
    assert found == front_proxy.NONE


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({"environment": {"A": "uwsgi_pass web:8000;"}}, "is no HTTP"),
        ({"environment": {"A": "web:8000"}, "links": ["web"]}, "has a link to it"),
        ({"environment": {"A": "web:8000"}, "links": ["other:web"]}, "has a link to it"),
    ],
)
def test_what_ours_can_not_stand_behind(tmp_path, service, why):
    found = front_proxy.find(config(nginx={"image": "nginx", **service}), "web", str(tmp_path))
    assert why in found.why_not


def test_files_that_are_no_configuration(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "secret").symlink_to("/etc/passwd")
    (tmp_path / "conf" / "large").write_text("web:1 " * 20000)
    (tmp_path / "conf" / "binary").write_bytes(b"\0 web:2 ")
    (tmp_path / "conf" / "site.conf").write_text("web:8000 not-web:3 web.example.org:4 web:99999")
    nginx = {"image": "nginx", "ports": [port(80)], "volumes": mounted(tmp_path, "conf", "/etc/nginx/conf.d")}
    assert front_proxy.find(config(nginx=nginx), "web", str(tmp_path)).ports == (8000,)


def test_the_sites_address_is_where_visitors_come_in(tmp_path):
    nginx = {"image": "nginx", "ports": [port(80)], "environment": {"A": "web:8000"}}
    site = {"ports": [port(8001, 8000)]}
    assert front_proxy.base_url(config(site, nginx=nginx), "web", str(tmp_path)) == "http://127.0.0.1"
    assert front_proxy.base_url(config(site), "web", str(tmp_path)) == "http://127.0.0.1:8001"
    assert front_proxy.base_url(config(nginx={**nginx, "ports": []}), "web", str(tmp_path)) == ""
