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
        ({"environment": {"A": "fastcgi_pass web:8000;"}}, "neither HTTP nor uWSGI's own protocol"),
        ({"environment": {"A": "web:8000"}, "links": ["web"]}, "has a link to it"),
        ({"environment": {"A": "web:8000"}, "links": ["other:web"]}, "has a link to it"),
    ],
)
def test_what_ours_can_not_stand_behind(tmp_path, service, why):
    found = front_proxy.find(config(nginx={"image": "nginx", **service}), "web", str(tmp_path))
    assert why in found.why_not


def test_what_is_spoken_at_a_port(tmp_path):
    (tmp_path / "nginx.conf").write_text(
        "upstream shop { server web:8000; }\nuwsgi_pass shop; proxy_pass http://web:9000;"
    )
    nginx = {"image": "nginx", "ports": [port(80)], "volumes": mounted(tmp_path, "nginx.conf")}
    found = front_proxy.find(config(nginx=nginx), "web", str(tmp_path))
    assert (found.why_not, found.ports, found.uwsgi) == ("", (8000, 9000), {8000})
    assert (found.scheme(8000), found.scheme(9000)) == ("uwsgi", "http")


@pytest.mark.parametrize("command", ["uwsgi --socket :8000", "uwsgi --uwsgi-socket 0.0.0.0:8000"])
def test_a_port_of_uwsgi_that_only_the_site_tells(tmp_path, command):
    nginx = {"image": "nginx", "environment": {"A": "uwsgi_pass $B;"}, "depends_on": {"web": {}}}
    found = front_proxy.find(config({"command": command}, nginx=nginx), "web", str(tmp_path))
    assert (found.ports, found.uwsgi) == ((8000,), {8000})


def test_a_socket_in_a_volume_is_asked_by_nobody_else(tmp_path):
    volume = {"type": "volume", "source": "sockets", "target": "/run/app"}
    nginx = {"image": "nginx", "ports": [port(80)], "volumes": [volume]}
    nginx["environment"] = {"A": "uwsgi_pass unix:/run/app/site.sock;"}
    found = front_proxy.find(config({"volumes": [volume], "expose": ["8000"]}, nginx=nginx), "web", str(tmp_path))
    assert "'nginx' asks it at the socket /run/app/site.sock" in found.why_not
    assert (found.ports, found.base_url) == ((), "http://127.0.0.1")


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


LABELS = {
    "traefik.http.routers.jobs.rule": "Host(`jobs.example`)",
    "traefik.http.routers.jobs.entrypoints": "web",
    "traefik.http.services.jobs.loadbalancer.server.port": "8000",
}
TRAEFIK = {
    "image": "traefik:v3.6",
    "command": ["--entrypoints.web.address=:80", "--entrypoints.ops.address=:8080"],
    "ports": [port(8090, 8080), port(8001)],
}


def test_traefik_that_reads_labels(tmp_path):
    """It asks no name, so that nothing leads it but them."""
    found = front_proxy.find(config({"labels": LABELS}, traefik=TRAEFIK), "web", str(tmp_path))
    assert (found.services, found.routers, found.ports) == ((), ("traefik",), (8000,))
    assert found
    assert found.base_urls == ("http://127.0.0.1:8001",)
    assert found.routes.host == "jobs.example"
    assert found.words() == "'traefik'"


def test_traefik_of_another_project(tmp_path):
    found = front_proxy.find(config({"labels": LABELS}), "web", str(tmp_path))
    assert (found.services, found.routers, found.ports, found.base_urls) == ((), (), (8000,), ())
    assert found.words() == "Traefik, of another project,"


def test_traefik_that_reads_a_file(tmp_path):
    """It asks a name, as others do."""
    (tmp_path / "sites.yml").write_text("http: {services: {a: {loadBalancer: {servers: [{url: 'http://web:8000'}]}}}}")
    mounted = {"volumes": [{"type": "bind", "source": str(tmp_path / "sites.yml"), "target": "/etc/a.yml"}]}
    found = front_proxy.find(config(traefik={**TRAEFIK, **mounted}), "web", str(tmp_path))
    assert (found.services, found.routers, found.ports, found.routes) == (("traefik",), (), (8000,), None)
    assert found.words() == "'traefik'"


def test_traefik_that_has_nothing_to_do_with_the_site(tmp_path):
    assert not front_proxy.find(config({"ports": [port(8001, 8000)]}, traefik=TRAEFIK), "web", str(tmp_path))
