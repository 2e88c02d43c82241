# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge: what it takes over, and the lines of its two files that matter."""

from __future__ import annotations

import dataclasses
import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _edge
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError

# Printed by Compose 2.26.1 for "ports: ['8001:8000']".
PORT = {"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}
SERVICE = {"ports": [PORT], "networks": {"default": None}}
WANT = {"image": "haproxy:3.0", "directory": "/var/lib/juno/jobs/edge", "user": "0:0"}


def edge_of(**service):
    return _edge.take_over({"services": {"web": {**SERVICE, **service}}}, "web", **WANT)


def edge_entry(text: str) -> dict:
    """Give the edge's service: JSON is YAML, and all on one line."""
    line = next(line for line in text.splitlines() if line.startswith("  juno-edge: "))
    return json.loads(line.partition(": ")[2])


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (SERVICE, ""),
        ({}, "the service publishes no port"),
        ({"ports": []}, "the service publishes no port"),
        ({"ports": [PORT], "network_mode": "host"}, "the service has network_mode host"),
        ({"ports": [PORT, {**PORT, "protocol": "udp"}]}, "the service publishes a port by udp"),
        ({"ports": [{"target": 8000}]}, "the service publishes a port without a fixed number"),
        ({"ports": [{**PORT, "published": "0"}]}, "the service publishes a port without a fixed number"),
        ({"ports": [{**PORT, "published": "8001-8004"}]}, "the service publishes a port without a fixed number"),
        ({"ports": [{**PORT, "published": "²"}]}, "the service publishes a port without a fixed number"),
        ({"ports": [{"target": 8000, "published": 80}]}, ""),
    ],
)
def test_where_it_can_stand(service, reason):
    assert _edge.why_not(service) == reason


def test_it_refuses_what_it_cannot_stand_before():
    with pytest.raises(BadInputError, match=r"before the service 'web': the service publishes no port\."):
        edge_of(ports=[])


def test_it_takes_over_ports_networks_and_the_name():
    ports = [PORT, {**PORT, "target": 9000, "published": "9001", "host_ip": "127.0.0.1"}]
    edge = edge_of(ports=ports, networks={"front": None, "back": {"aliases": ["a"]}}, container_name="web")
    assert edge.ports == (_edge.Port(8001, 8000), _edge.Port(9001, 9000, "127.0.0.1"))
    assert (edge.networks, edge.named) == (("front", "back"), True)
    assert edge.socket == "/var/lib/juno/jobs/edge/run/edge.sock"
    assert edge_of().named is False
    assert edge_of(networks=None).networks == ()


def sections(text: str) -> dict[str, list[str]]:
    """Split a configuration of HAProxy into its sections."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            name = line
            assert name not in found
            found[name] = []
        elif line.strip():
            found[name].append(line.strip())
    return found


def test_a_front_door_for_each_published_port_and_a_backend_for_each_target():
    ports = [PORT, {**PORT, "published": "8002"}, {**PORT, "published": "9001", "target": 9000}]
    text = sections(_edge.haproxy(edge_of(ports=ports)))
    doors = {name: lines for name, lines in text.items() if name.startswith("frontend port_")}
    assert list(doors) == ["frontend port_8001_0", "frontend port_8002_1", "frontend port_9001_2"]
    assert [lines[0] for lines in doors.values()] == ["bind :18000", "bind :18001", "bind :18002"]
    assert [lines[-1] for lines in doors.values()] == [f"default_backend app_{port}" for port in (8000, 8000, 9000)]
    assert [name for name in text if name.startswith("backend")] == ["backend app_8000", "backend app_9000"]
    assert text["backend app_9000"][-1] == "server-template web 1-16 web:9000"


def test_one_port_at_two_addresses_has_two_doors_of_different_names():
    text = sections(_edge.haproxy(edge_of(ports=[{**PORT, "host_ip": ip} for ip in ("127.0.0.1", "::1")])))
    assert {"frontend port_8001_0", "frontend port_8001_1"} <= set(text)


def test_requests_are_sent_again_only_where_that_is_safe():
    lines = sections(_edge.haproxy(edge_of()))["backend app_8000"]
    assert "retry-on conn-failure empty-response" in lines
    assert "http-request disable-l7-retry unless { method GET HEAD OPTIONS }" in lines
    assert "option http-server-close" in lines


def test_containers_are_found_by_the_engines_dns():
    text = sections(_edge.haproxy(edge_of()))
    assert "nameserver engine 127.0.0.11:53" in text["resolvers docker"]
    # An address is gone as soon as the DNS no longer names it; a name that is gone for a moment keeps its own.
    assert {"hold obsolete 0s", "hold nx 30s"} <= set(text["resolvers docker"])
    server = next(line for line in text["backend app_8000"] if line.startswith("default-server"))
    assert "init-addr none resolvers docker" in server
    assert "stats socket /run/juno/edge.sock mode 600 level admin" in text["global"]


def test_the_maintenance_page_stands_before_every_door_but_the_inner_one():
    text = sections(_edge.haproxy(edge_of(ports=[PORT, {**PORT, "published": "8002"}])))
    closed = {name for name, lines in text.items() if any("maintenance.html" in line for line in lines)}
    assert closed == {"frontend port_8001_0", "frontend port_8002_1"}
    assert text["frontend inside"] == ["bind :17999", "default_backend app_8000"]


@pytest.mark.parametrize(
    ("service", "ports", "port"),
    [
        ("web", [(8001, 8000)], 8000),
        ("web", [(443, 9443), (80, 9080)], 9443),
        ("default_backend", [(8001, 8000)], 8000),
    ],
)
def test_the_edge_knows_the_port(service, ports, port):
    edge = _edge.Edge(service, tuple(_edge.Port(*one) for one in ports), ("default",), "haproxy", "/x", "0")
    assert _edge.inside_target(_edge.haproxy(edge)) == port


@pytest.mark.parametrize("text", ["", "frontend inside\n", "frontend other\n  default_backend app_8000\n"])
def test_a_configuration_that_tells_no_port(text):
    assert _edge.inside_target(text) == 0


def test_the_override_gives_the_ports_to_the_edge():
    ports = [PORT, {**PORT, "target": 9000, "published": "9001", "host_ip": "127.0.0.1"}]
    text = _edge.override(edge_of(ports=ports))
    assert text.splitlines()[0] == _edge.MARK
    assert text.splitlines()[2:5] == ["services:", '  "web":', "    ports: !reset []"]
    assert "container_name" not in text
    edge = edge_entry(text)
    assert edge["ports"] == [
        {"target": 18000, "published": "8001", "protocol": "tcp"},
        {"target": 18001, "published": "9001", "protocol": "tcp", "host_ip": "127.0.0.1"},
    ]
    assert edge["networks"] == ["default"]


def test_the_edge_has_no_rights():
    edge = edge_entry(_edge.override(edge_of()))
    assert (edge["user"], edge["cap_drop"], edge["read_only"]) == ("0:0", ["ALL"], True)
    assert edge["security_opt"] == ["no-new-privileges:true"]
    assert edge["stop_signal"] == "SIGUSR1"
    configuration, run = edge["volumes"]
    assert (configuration["source"], configuration["read_only"]) == ("/var/lib/juno/jobs/edge", True)
    assert (run["source"], run["target"]) == ("/var/lib/juno/jobs/edge/run", "/run/juno")


def test_a_dollar_is_no_variable():
    edge = dataclasses.replace(edge_of(), image="here/$x", directory="/srv/$y")
    entry = edge_entry(_edge.override(edge))
    assert entry["image"] == "here/$$x"
    assert [one["source"] for one in entry["volumes"]] == ["/srv/$$y", "/srv/$$y/run"]


def test_a_name_of_which_there_can_be_only_one_is_taken_away():
    assert "    container_name: !reset null" in _edge.override(edge_of(container_name="web")).splitlines()
    assert _edge.override(None, service="web", named=True).splitlines()[2:] == [
        "services:",
        '  "web":',
        "    container_name: !reset null",
    ]


def test_without_networks_compose_takes_its_default():
    assert "networks" not in edge_entry(_edge.override(edge_of(networks=None)))


def test_an_epoch_goes_to_the_site_and_its_workers():
    text = _edge.override(edge_of(), workers=("queue",), environment={"CACHE_VERSION": "7"})
    lines = text.splitlines()
    assert lines[3:6] == ['  "web":', "    ports: !reset []", '    environment: {"CACHE_VERSION": "7"}']
    assert lines[6:8] == ['  "queue":', '    environment: {"CACHE_VERSION": "7"}']
    alone = _edge.override(None, service="web", environment={"CACHE_VERSION": "7"})
    assert alone.splitlines()[2:] == ["services:", '  "web":', '    environment: {"CACHE_VERSION": "7"}']


def test_what_is_about_the_edge_is_told_apart_from_the_epoch():
    plain = _edge.without_environment(_edge.override(edge_of()))
    seven = _edge.override(edge_of(), workers=("queue",), environment={"CACHE_VERSION": "7"})
    assert _edge.without_environment(seven) == plain
    assert _edge.without_environment("") == []
    assert _edge.without_environment(_edge.override(dataclasses.replace(edge_of(), image="other:1"))) != plain
