# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Traefik reads in the labels of a site, and what our proxy gets in its place."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import label_routes

RULE = {"traefik.http.routers.jobs.rule": "Host(`jobs.example`) && PathPrefix(`/`)"}
PORT = {"traefik.http.services.jobs.loadbalancer.server.port": "8000"}


def config(labels, networks=None, site=None, traefik=None):
    return {
        "name": "my.jobs",
        "networks": networks or {"default": {"name": "my-jobs_default"}},
        "services": {"web": {"labels": labels, **(site or {})}, "traefik": traefik or {}},
    }


def find(labels, **more):
    return label_routes.find(config(labels, **more), "web", ["traefik"], [8001])


def test_our_proxy_gets_all_that_the_site_has():
    labels = {**RULE, **PORT, "traefik.enable": "true", "traefik.http.middlewares.a.headers.sslredirect": "true"}
    routes = find({**labels, "com.example.team": "a"})
    assert routes == label_routes.Routes(
        {**labels, "traefik.docker.network": "my-jobs_default"}, "default", (8000,), "jobs.example"
    )


@pytest.mark.parametrize(
    "health",
    [
        "loadbalancer.healthcheck.path",
        "loadbalancer.healthCheck.interval",
        "LoadBalancer.HealthCheck.Headers.X-A",
        "loadbalancer.passivehealthcheck.maxfailedattempts",
    ],
)
def test_traefik_does_not_judge_our_proxy_by_its_answers(health):
    kept = {"traefik.http.services.jobs.loadbalancer.sticky.cookie": "true"}
    routes = find({**RULE, **PORT, **kept, f"traefik.http.services.jobs.{health}": "/up"})
    assert routes.labels == {**RULE, **PORT, **kept, "traefik.docker.network": "my-jobs_default"}


def test_a_service_that_only_names_a_health_check_still_has_its_port():
    routes = find({**RULE, "traefik.http.services.jobs.loadbalancer.healthcheck.path": "/up"})
    assert routes.labels["traefik.http.services.jobs.loadbalancer.server.port"] == "8001"


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        # Traefik's own name for a service that has none, and the port that an image exposes.
        (RULE, {"traefik.http.services.web-my-jobs.loadbalancer.server.port": "8001"}),
        (
            {**RULE, "traefik.http.services.a.loadbalancer.sticky.cookie": "true"},
            {"traefik.http.services.a.loadbalancer.server.port": "8001"},
        ),
        ({**RULE, **PORT}, PORT),
    ],
)
def test_the_port_is_always_named(labels, told):
    routes = find(labels)
    assert routes.labels == {**labels, **told, "traefik.docker.network": "my-jobs_default"}
    assert routes.ports == tuple(map(int, told.values()))


@pytest.mark.parametrize(
    "labels", [{}, {"com.example": "a"}, {**RULE, "traefik.enable": "false"}, {"Traefik.Enable": "False"}]
)
def test_who_is_kept_out_has_none(labels):
    assert find(labels) is None


def test_what_nobody_reads():
    """A label that is left over, and no Traefik."""
    left = config({"traefik.docker.network": "web"})
    assert label_routes.find(left, "web", [], []) is None


@pytest.mark.parametrize(
    ("networks", "site", "traefik", "labels", "network", "told"),
    [
        ({"default": {"name": "a_default"}}, {}, {}, {}, "default", "a_default"),
        (
            {"back": {"name": "a_back"}, "front": {"name": "a_front"}},
            {"networks": {"back": None, "front": None}},
            {"networks": {"front": None}},
            {},
            "front",
            "a_front",
        ),
        (
            {"back": {"name": "a_back"}, "proxy": {"name": "traefik", "external": True}},
            {"networks": {"back": None, "proxy": None}},
            {"networks": {"other": None}},
            {},
            "proxy",
            "traefik",
        ),
        (
            {"back": {"name": "a_back"}, "front": {"name": "a_front"}},
            {"networks": {"back": None, "front": None}},
            {},
            {"traefik.docker.network": "a_front"},
            "front",
            "a_front",
        ),
    ],
)
def test_the_network_in_which_it_is_asked(networks, site, traefik, labels, network, told):
    routes = find({**RULE, **PORT, **labels}, networks=networks, site=site, traefik=traefik)
    assert (routes.network, routes.labels["traefik.docker.network"]) == (network, told)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({**RULE, **PORT, "traefik.tcp.routers.a.rule": "HostSNI(`*`)"}, "TCP or UDP"),
        ({**RULE, "traefik.http.services.a.loadbalancer.server.url": "http://web:80"}, "an address in place of a port"),
        ({"traefik.enable": "true", **PORT}, r"no label of 'web' gives Traefik a rule"),
    ],
)
def test_what_our_proxy_can_not_get(labels, why):
    assert why in find(labels).why_not


def test_a_port_that_nothing_tells():
    routes = label_routes.find(config(RULE), "web", ["traefik"], [])
    assert "name it there by the label traefik.http.services.web-my-jobs.loadbalancer.server.port" in routes.why_not
    assert routes.ports == ()


@pytest.mark.parametrize(
    ("labels", "tls"),
    [
        ({}, False),
        ({"traefik.http.routers.jobs.tls": "true"}, True),
        ({"traefik.http.routers.jobs.tls.certresolver": "le"}, True),
        ({"traefik.http.routers.plain.rule": "Host(`jobs.example`)", "traefik.http.routers.jobs.tls": "true"}, False),
    ],
)
def test_whether_visitors_come_by_https_alone(labels, tls):
    assert find({**RULE, **PORT, **labels}).tls is tls


@pytest.mark.parametrize(
    "text",
    [
        '["--entrypoints.web.address=:80", "--entryPoints.secure.address=0.0.0.0:443", "--entrypoints.o.address=:90"]',
        '{"TRAEFIK_ENTRYPOINTS_WEB_ADDRESS": ":80", "TRAEFIK_ENTRYPOINTS_SECURE_ADDRESS": ":443"}',
        'entryPoints:\n  web:\n    address: ":80"\n  secure:\n    address: :443\n',
        '[entryPoints.web]\n  address = ":80"\n[entryPoints.secure]\n  address = ":443"\n',
    ],
)
def test_the_ports_of_entry_points(text):
    assert label_routes.published_targets(text, ("web", "secure")) == {80, 443}
    assert label_routes.published_targets(text, ("web",)) == {80}
    assert label_routes.published_targets(text, ("none",)) == set()
