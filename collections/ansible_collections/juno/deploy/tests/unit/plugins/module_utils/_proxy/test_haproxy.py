# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's configuration: the lines that matter. That HAProxy takes it is in molecule/ports and molecule/switch."""

from __future__ import annotations

import dataclasses
import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._proxy import haproxy, names

from .proxies import FRONT, behind_front

PORT = {"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}
WANT = {"image": "haproxy:3.0", "directory": "/var/lib/juno/jobs/edge", "user": "0:0"}


def proxy_of(*ports, **more):
    return names.take_over(
        {"name": "jobs", "services": {"web": {"ports": list(ports or [PORT])}}}, "web", **WANT, **more
    )


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


def test_a_frontend_for_each_published_port_and_a_backend_for_each_target():
    ports = [PORT, {**PORT, "published": "8002"}, {**PORT, "published": "9001", "target": 9000}]
    text = sections(haproxy.write(proxy_of(*ports)))
    frontends = {name: lines for name, lines in text.items() if name.startswith("frontend port_")}
    assert list(frontends) == ["frontend port_8001_0", "frontend port_8002_1", "frontend port_9001_2"]
    assert [lines[0] for lines in frontends.values()] == ["bind :18000", "bind :18001", "bind :18002"]
    assert [lines[-1] for lines in frontends.values()] == [f"default_backend app_{port}" for port in (8000, 8000, 9000)]
    backends = [name for name in text if name.startswith("backend")]
    assert backends == [f"backend app_{name}" for name in ("8000", "8000_again", "9000", "9000_again")]
    assert text["backend app_9000"][-1] == "server-template web 1-16 juno-jobs-web:9000"


def test_one_port_at_two_addresses_has_two_frontends_of_different_names():
    text = sections(haproxy.write(proxy_of(*({**PORT, "host_ip": ip} for ip in ("127.0.0.1", "::1")))))
    assert {"frontend port_8001_0", "frontend port_8001_1"} <= set(text)


def test_requests_are_sent_again_only_where_that_is_safe():
    text = sections(haproxy.write(proxy_of()))
    lines, again = text["backend app_8000"], text["backend app_8000_again"]
    assert ("retry-on conn-failure" in lines, "option http-server-close" in lines) == (True, True)
    # It waits for a container as patiently as the other one, which it asks.
    assert {"retry-on 502", "retries 1", "server itself 127.0.0.1:17000"} <= set(again)
    assert text["frontend app_8000_again"] == ["bind 127.0.0.1:17000", "default_backend app_8000"]
    chosen = "use_backend app_8000_again if { method GET HEAD OPTIONS } { date,neg,add(txn.until) gt 0 }"
    assert chosen in text["frontend port_8001_0"]


def test_streams_are_counted_where_a_server_is_asked_by_http():
    smtp = {**PORT, "published": "25", "target": 2525}
    text = sections(haproxy.write(proxy_of(PORT, smtp, tcp=[2525])))
    counted = [
        name for name, lines in text.items() if any(line.startswith("http-response track-sc0") for line in lines)
    ]
    assert counted == ["backend app_8000"]
    assert any(line.startswith("stick-table type string ") for line in text["backend app_8000"])


def test_what_is_no_http_is_passed_as_it_is():
    smtp = {**PORT, "published": "25", "target": 2525}
    text = sections(haproxy.write(proxy_of(PORT, smtp, tcp=[2525])))
    assert text["frontend port_25_1"] == [
        "bind :18001",
        "bind :::18001 v6only",
        "mode tcp",
        "timeout client 5d",
        "option clitcpka",
        "default_backend app_2525",
    ]
    assert "mode tcp" in text["backend app_2525"]
    assert "backend app_2525_again" not in text
    # A check would look like a client that goes at once.
    assert not any(" check" in line for line in text["backend app_2525"])


def test_without_ipv6_in_the_kernel_haproxy_starts_all_the_same():
    text = haproxy.write(proxy_of(ipv6=False))
    assert "v6only" not in text
    assert haproxy.write(proxy_of()).count("v6only") == 2


@pytest.mark.parametrize(
    ("trusted", "unless"),
    [(["10.0.0.0/8", "::1"], " unless { src 10.0.0.0/8 ::1/128 }"), ([], "")],
)
def test_what_visitors_say_of_themselves_is_not_believed(trusted, unless):
    configuration = haproxy.write(proxy_of(trusted=trusted))
    text = sections(configuration)
    rule = f"{haproxy._FORWARDED.strip()}{unless}"
    assert rule in text["frontend port_8001_0"]
    assert rule in text["frontend inside"]
    assert haproxy.drops_forwarded(configuration)
    assert "option forwardfor if-none" in text["backend app_8000"]


def test_the_modes_are_read_again():
    ports = [PORT, {**PORT, "published": "25", "target": 2525}, {**PORT, "published": "9", "target": 9000}]
    configuration = haproxy.write(proxy_of(*ports, tcp=[2525]))
    assert haproxy.targets(configuration) == {8000, 2525, 9000}
    assert haproxy.tcp_targets(configuration) == {2525}
    assert (haproxy.targets(""), haproxy.drops_forwarded("")) == (set(), False)


def test_containers_are_found_by_the_engines_dns():
    text = sections(haproxy.write(proxy_of()))
    assert "nameserver engine 127.0.0.11:53" in text["resolvers docker"]
    # An address is gone as soon as the DNS no longer names it; a name that is gone for a moment keeps its own.
    assert {"hold obsolete 0s", "hold nx 30s"} <= set(text["resolvers docker"])
    server = [line for line in text["backend app_8000"] if line.startswith("default-server")][-1]
    assert "init-addr none resolvers docker" in server
    assert "stats socket /run/juno/edge.sock mode 600 level admin expose-fd listeners" in text["global"]


def test_the_maintenance_page_stands_before_every_frontend_but_the_inner_one():
    text = sections(haproxy.write(proxy_of(PORT, {**PORT, "published": "8002"})))
    closed = {name for name, lines in text.items() if any("maintenance.html" in line for line in lines)}
    assert closed == {"frontend port_8001_0", "frontend port_8002_1"}
    inside = text["frontend inside"]
    assert (inside[0], inside[-1]) == ("bind :17999", "default_backend app_8000")


def test_a_front_proxy_is_answered_at_the_sites_own_port():
    configuration = haproxy.write(behind_front(PORT, front=dataclasses.replace(FRONT, ports=(8000, 9000))))
    text = sections(configuration)
    again = "use_backend app_{0}_again if {{ method GET HEAD OPTIONS }} {{ date,neg,add(txn.until) gt 0 }}"
    for port in (8000, 9000):
        lines = text[f"frontend front_{port}"]
        assert lines[:2] == [f"bind :{port}", f"bind :::{port} v6only"]
        assert (lines[-2], lines[-1]) == (again.format(port), f"default_backend app_{port}")
        assert any("maintenance.html" in line for line in lines)
        assert any("wait-for-body" in line for line in lines)
        # It keeps connections for what its next visitors ask.
        assert {"timeout client 5m", "timeout http-keep-alive 5m"} <= set(lines)
        # Who the visitor is nobody but the front proxy knows.
        assert not any("del-header" in line for line in lines)
    assert any("del-header" in line for line in text["frontend port_8001_0"])
    assert haproxy.targets(configuration) == {8000, 9000}
    assert haproxy.inside_target(configuration) == 8000


def test_what_a_front_proxy_asks_by_uwsgis_own_protocol():
    front = dataclasses.replace(FRONT, ports=(8000, 9000), uwsgi=frozenset({8000}))
    configuration = haproxy.write(behind_front(PORT, front=front))
    text = sections(configuration)
    passed = ["mode tcp", "timeout client 1h", "timeout client-fin 5m", "default_backend app_8000"]
    for name, port in (("front_8000", 8000), ("inside", 17999), ("port_8001_0", 18000)):
        assert text[f"frontend {name}"] == [f"bind :{port}", f"bind :::{port} v6only", *passed]
    # Each connection is a request: who does not take one gets none.
    assert "default-server check inter 2s downinter 250ms fall 5 rise 1" in text["backend app_8000"]
    assert "backend app_8000_again" not in text
    assert "option http-server-close" in text["backend app_9000"]
    assert (haproxy.uwsgi_targets(configuration), haproxy.tcp_targets(configuration)) == ({8000}, set())
    assert (haproxy.targets(configuration), haproxy.inside_target(configuration)) == ({8000, 9000}, 8000)


def test_what_a_front_proxy_asks_by_something_else_is_passed_as_it_is():
    """The port that the site is asked at is HTTP all the same."""
    ports, front = [PORT, {**PORT, "published": "9000", "target": 9000}], dataclasses.replace(FRONT, ports=(8000, 9000))
    text = sections(haproxy.write(behind_front(*ports, front=front, tcp=[8000, 9000])))
    assert text["frontend front_9000"] == [
        "bind :9000",
        "bind :::9000 v6only",
        "mode tcp",
        "timeout client 5d",
        "option clitcpka",
        "default_backend app_9000",
    ]
    assert "mode tcp" not in text["frontend front_8000"]


def test_without_published_ports_there_is_nothing_but_the_front_proxy():
    text = sections(haproxy.write(behind_front(ipv6=False)))
    assert [name for name in text if name.startswith("frontend")] == [
        "frontend front_8000",
        "frontend inside",
        "frontend app_8000_again",
    ]
    assert text["frontend front_8000"][0] == "bind :8000"
    assert "v6only" not in "".join(text["frontend front_8000"])
    assert text["backend app_8000"][-1] == "server-template web 1-16 juno-jobs-web:8000"
    assert not any(name.startswith("frontend front_") for name in sections(haproxy.write(proxy_of())))


@pytest.mark.parametrize("tcp", [(), (9000,), (8000, 9000, 2525)])
def test_each_backend_that_is_named_is_there(tcp):
    """HAProxy would not start without."""
    ports = [PORT, *({**PORT, "published": str(one), "target": one} for one in (9000, 2525))]
    front = dataclasses.replace(FRONT, ports=(8000, 9000))
    text = sections(haproxy.write(behind_front(*ports, front=front, tcp=tcp)))
    named = {line.split()[1] for lines in text.values() for line in lines if re.match("(use|default)_backend ", line)}
    assert named == {name.split()[1] for name in text if name.startswith("backend ")}


@pytest.mark.parametrize(
    ("service", "ports", "port"),
    [
        ("web", [(8001, 8000)], 8000),
        ("web", [(443, 9443), (80, 9080)], 9443),
        ("default_backend", [(8001, 8000)], 8000),
    ],
)
def test_the_proxy_knows_the_port(service, ports, port):
    proxy = dataclasses.replace(
        proxy_of(), service=service, ports=tuple(names.Port(*one) for one in ports), main=ports[0][1]
    )
    assert haproxy.inside_target(haproxy.write(proxy)) == port


@pytest.mark.parametrize("text", ["", "frontend inside\n", "frontend other\n  default_backend app_8000\n"])
def test_a_configuration_that_tells_no_port(text):
    assert haproxy.inside_target(text) == 0
