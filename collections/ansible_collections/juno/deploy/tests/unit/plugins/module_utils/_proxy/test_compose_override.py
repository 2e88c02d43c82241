# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of the proxy's override that matter."""

from __future__ import annotations

import dataclasses
import json
import re

from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, names

from .proxies import FRONT, PORT, behind_front, proxy_of


def proxy_entry(text: str) -> dict:
    """Return the proxy's service: JSON is YAML, and all on one line."""
    line = next(line for line in text.splitlines() if line.startswith("  juno-edge: "))
    return json.loads(line.partition(": ")[2])


def test_the_override_gives_the_ports_to_the_proxy():
    ports = [PORT, {**PORT, "target": 9000, "published": "9001", "host_ip": "127.0.0.1"}]
    text = compose_override.override(proxy_of(ports=ports))
    assert text.splitlines()[0] == compose.MARK
    assert text.splitlines()[2:5] == ["services:", '  "web":', "    ports: !reset []"]
    assert "container_name" not in text
    proxy = proxy_entry(text)
    assert proxy["ports"] == [
        {"target": 18000, "published": "8001", "protocol": "tcp"},
        {"target": 18001, "published": "9001", "protocol": "tcp", "host_ip": "127.0.0.1"},
    ]
    # Nothing but the site's own containers can be found there, by a name that nobody else has.
    assert proxy["networks"] == ["juno-edge", "juno-ports"]
    assert json.loads(text.splitlines()[5].removeprefix("    networks: ")) == {
        "juno-edge": {"aliases": [names.alias_of("", "web")]},
        "default": None,
    }


def test_the_proxy_has_no_rights():
    proxy = proxy_entry(compose_override.override(proxy_of()))
    assert (proxy["user"], proxy["cap_drop"], proxy["read_only"]) == ("0:0", ["ALL"], True)
    assert proxy["security_opt"] == ["no-new-privileges:true"]
    assert proxy["stop_signal"] == "SIGUSR1"
    configuration, run = proxy["volumes"]
    assert (configuration["source"], configuration["read_only"]) == ("/var/lib/juno/jobs/edge", True)
    assert (run["source"], run["target"]) == ("/var/lib/juno/jobs/edge/run", "/run/juno")


def test_a_dollar_is_no_variable():
    proxy = dataclasses.replace(proxy_of(), image="here/$x", directory="/srv/$y")
    entry = proxy_entry(compose_override.override(proxy))
    assert entry["image"] == "here/$$x"
    assert [one["source"] for one in entry["volumes"]] == ["/srv/$$y", "/srv/$$y/run"]


def test_a_name_of_which_there_can_be_only_one_is_taken_away():
    assert "    container_name: !reset null" in compose_override.override(proxy_of(container_name="web")).splitlines()
    assert compose_override.override(None, service="web", named=True).splitlines()[2:] == [
        "services:",
        '  "web":',
        "    container_name: !reset null",
    ]


def test_a_service_keeps_the_networks_that_it_names():
    line = compose_override.override(proxy_of(networks={"front": None})).splitlines()[5]
    assert list(json.loads(line.removeprefix("    networks: "))) == ["juno-edge"]


def test_a_cache_version_goes_to_the_site_and_its_workers():
    text = compose_override.override(proxy_of(), workers=("queue",), environment={"CACHE_VERSION": "7"})
    lines = text.splitlines()
    assert lines[3:5] == ['  "web":', "    ports: !reset []"]
    assert lines[6:9] == [
        '    environment: {"CACHE_VERSION": "7"}',
        '  "queue":',
        '    environment: {"CACHE_VERSION": "7"}',
    ]
    alone = compose_override.override(None, service="web", environment={"CACHE_VERSION": "7"})
    assert alone.splitlines()[2:] == ["services:", '  "web":', '    environment: {"CACHE_VERSION": "7"}']


def test_a_front_proxy_finds_ours_by_each_name_of_the_site():
    proxy = behind_front(front=dataclasses.replace(FRONT, services=("nginx", "caddy")))
    lines = compose_override.override(proxy, workers=("queue",), environment={"CACHE_VERSION": "7"}).splitlines()
    links = '    links: ["juno-edge:web", "juno-edge:site_web"]'
    # Who names no network would be in ours alone; who names one stays there.
    assert lines[lines.index('  "nginx":') :][:6] == [
        '  "nginx":',
        '    networks: {"juno-edge": null, "default": null}',
        links,
        '  "caddy":',
        '    networks: {"juno-edge": null}',
        links,
    ]
    # Each service once: a second one of the same name would take the place of the first.
    heads = [line for line in lines if re.fullmatch(r"  \S+:.*", line)]
    assert [one.split(":")[0].strip() for one in heads] == ['"web"', '"queue"', '"nginx"', '"caddy"', "juno-edge"]
    assert proxy_entry("\n".join(lines))["ports"] == []
    assert lines[3:5] == ['  "web":', "    ports: !reset []"]


def test_without_our_proxy_a_front_proxy_is_as_its_own_files_say():
    alone = compose_override.override(None, service="web", named=True)
    assert "links" not in alone + compose_override.override(proxy_of())


def test_what_the_proxy_is_made_from():
    plain = compose_override.definition(compose_override.override(proxy_of()))
    assert (plain["image"], "networks" in plain) == ("haproxy:3.0", False)
    assert (
        compose_override.definition(compose_override.override(proxy_of(), environment={"CACHE_VERSION": "7"})) == plain
    )
    assert compose_override.definition("") == {}
    assert (
        compose_override.definition(compose_override.override(dataclasses.replace(proxy_of(), image="other:1")))
        != plain
    )
