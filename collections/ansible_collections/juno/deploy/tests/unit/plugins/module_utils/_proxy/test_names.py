# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy: where it can stand, and what it takes over."""

from __future__ import annotations

import dataclasses
import ipaddress
import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, names

from .proxies import FRONT, PORT, SERVICE, WANT, behind_front, networks_of, proxy_of


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
        ({"ports": [PORT], "networks": ["front"]}, ""),
        (
            {"ports": [PORT], "networks": {"front": {"ipv4_address": "10.5.0.5"}}},
            "the service has a fixed ipv4_address in the network front, which two containers can't have at a time",
        ),
        (
            {"ports": [PORT], "networks": {"front": None, "back": {"ipv6_address": "fd00::5"}}},
            "the service has a fixed ipv6_address in the network back, which two containers can't have at a time",
        ),
        (
            {"ports": [PORT], "mac_address": "02:42:ac:11:65:43"},
            "the service has a fixed mac_address, which two containers can't have at a time",
        ),
    ],
)
def test_where_it_can_stand(service, reason):
    assert names.why_not(service) == reason


@pytest.mark.parametrize(
    ("service", "front", "reason"),
    [
        ({}, FRONT, ""),
        ({"ports": []}, FRONT, ""),
        (SERVICE, FRONT, ""),
        # One that ours can't stand behind is a reason, whatever the site publishes.
        (SERVICE, dataclasses.replace(FRONT, why_not="'nginx' has a link to it"), "'nginx' has a link to it"),
        ({}, front_proxy.NONE, "the service publishes no port"),
        ({"network_mode": "host"}, FRONT, "the service has network_mode host"),
        ({"ports": [{"target": 8000}]}, FRONT, "the service publishes a port without a fixed number"),
        (
            {"mac_address": "02:42:ac:11:65:43"},
            FRONT,
            "the service has a fixed mac_address, which two containers can't",
        ),
    ],
)
def test_where_it_can_stand_behind_a_front_proxy(service, front, reason):
    found = names.why_not(service, front)
    assert found.startswith(reason)
    assert bool(found) is bool(reason)


@pytest.mark.parametrize(
    ("ports", "asked", "main", "given", "targets"),
    [
        # Without published ports it is asked at the port that the front proxy asks.
        ([], (8000,), 8000, 0, (8000,)),
        ([], (9000, 8000), 9000, 0, (8000, 9000)),
        ([PORT], (9000,), 9000, 0, (8000, 9000)),
        ([PORT], (9000,), 8000, 8000, (8000, 9000)),
        ([{**PORT, "target": 7000}], (8000, 9000), 9000, 9000, (7000, 8000, 9000)),
    ],
)
def test_what_it_takes_over_behind_a_front_proxy(ports, asked, main, given, targets):
    proxy = behind_front(*ports, front=dataclasses.replace(FRONT, ports=asked), main=given)
    assert (proxy.main, proxy.targets) == (main, targets)
    assert [(one.published, one.target) for one in proxy.ports] == [(8001, one["target"]) for one in ports]


def test_which_front_proxies_name_no_network():
    proxy = behind_front(front=dataclasses.replace(FRONT, services=("nginx", "caddy")))
    assert (proxy.front.services, proxy.front_in_default) == (("nginx", "caddy"), {"nginx"})
    assert (proxy_of().front, proxy_of().front_in_default) == (front_proxy.NONE, set())
    assert proxy_of().targets == (8000,)


def test_it_refuses_what_it_cannot_stand_before():
    with pytest.raises(BadInputError, match=r"before the service 'web': the service publishes no port\."):
        proxy_of(ports=[])


def test_it_takes_over_ports_and_the_name():
    ports = [PORT, {**PORT, "target": 9000, "published": "9001", "host_ip": "127.0.0.1"}]
    proxy = proxy_of(ports=ports, networks={"front": None, "back": {"aliases": ["a"]}}, container_name="web")
    assert proxy.ports == (names.Port(8001, 8000), names.Port(9001, 9000, "127.0.0.1"))
    assert (proxy.in_default, proxy.named, proxy.main) == (False, True, 8000)
    assert proxy.socket == "/var/lib/juno/jobs/edge/run/edge.sock"
    assert proxy_of().named is False
    assert proxy_of(networks=None).in_default is True


def test_the_port_of_the_site_is_never_passed_as_tcp():
    ports = [{**PORT, "target": 8443, "published": "8443"}, PORT]
    proxy = names.take_over(
        {"services": {"web": {"ports": ports}}}, "web", **WANT, main=8000, tcp=[8443, 8000], trusted=["10.1.2.3"]
    )
    assert (proxy.main, proxy.tcp, proxy.trusted) == (8000, {8443}, ("10.1.2.3/32",))


@pytest.mark.parametrize(
    ("project", "service", "alias"),
    [
        ("jobs", "web", "juno-jobs-web"),
        ("my_site", "web", "juno-my-site-web-6d6b0f0c0a5b"),
        ("a" * 60, "Web.1", ""),
    ],
)
def test_a_name_that_no_other_project_has(project, service, alias):
    found = names.alias_of(project, service)
    assert re.fullmatch("[a-z0-9-]{1,63}", found)
    assert found.startswith(alias[:17])
    assert names.alias_of("my-site", "web") != names.alias_of("my_site", "web")


@pytest.mark.parametrize(
    ("networks", "known", "foreign", "has"),
    [
        ({"default": None}, {"default": {"name": "jobs_default", "enable_ipv6": True}}, (), True),
        (None, {"default": {"enable_ipv6": True}}, (), True),
        ({"default": None}, {"default": {"name": "jobs_default"}}, (), False),
        ({"front": None}, {"front": {"external": True}, "default": {"enable_ipv6": True}}, (), False),
        ({"front": None}, {"front": {"external": True}}, ("front",), True),
    ],
)
def test_published_ports_have_the_families_that_they_had(networks, known, foreign, has):
    config = {"name": "jobs", "services": {"web": {"ports": [PORT], "networks": networks}}, "networks": known}
    proxy = names.take_over(config, "web", **WANT, ipv6_networks=foreign)
    assert proxy.ipv6_subnet == (names.ipv6_subnet_of("jobs") if has else "")
    made = networks_of(compose_override.override(proxy))
    assert made["juno-edge"] == {"internal": True}
    assert (made["juno-ports"] or {}).get("enable_ipv6", False) is has


def test_a_range_of_local_addresses_for_each_project():
    ranges = [ipaddress.ip_network(names.ipv6_subnet_of(name)) for name in ("jobs", "shop")]
    assert ranges[0] != ranges[1]
    assert all(one.prefixlen == 64 and one.subnet_of(ipaddress.ip_network("fd00::/8")) for one in ranges)


def test_a_source_that_is_no_network_is_told():
    with pytest.raises(BadInputError, match=r"10\.0\.0\.1/8 has host bits set: correct 'proxy.trusted_proxies'"):
        names.read_trusted(["10.0.0.1/8"])
