# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a port: tables over what /proc and the Engine tell."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import ports as app_ports
from ansible_collections.juno.deploy.plugins.module_utils._app.ports import Listener, Wanted

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 44186 1 0 100 0 0 10 0
   1: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 115781 1 0 100 0 0 10 0
   2: 0100007F:A000 0100007F:1F41 01 00000000:00000000 00:00000000 00000000     0        0 115782 1 0 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:1F42 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 \
00000000     0        0 5 1 0 100 0 0 10 0
"""


def test_parse_listeners():
    assert app_ports.parse_listeners(TCP) == [Listener("0.0.0.0", 22, "44186"), Listener("127.0.0.1", 8001, "115781")]
    assert app_ports.parse_listeners(TCP6) == [Listener("::", 8002, "5")]
    assert app_ports.parse_listeners("") == []


def test_a_socket_is_found_with_its_process():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = next(one for one in app_ports.listeners() if one.port == port)
        assert app_ports.process_of(found.inode).split(", process ")[1].isdigit()


@pytest.mark.parametrize(
    ("wanted", "address", "meets"),
    [
        (Wanted("", 8001), "127.0.0.1", True),
        (Wanted("127.0.0.1", 8001), "127.0.0.1", True),
        (Wanted("127.0.0.1", 8001), "10.0.0.1", False),
        (Wanted("127.0.0.1", 8001), "0.0.0.0", True),
        (Wanted("10.0.0.1", 8001), "::", True),
        (Wanted("", 8002), "0.0.0.0", False),
    ],
)
def test_meets(wanted, address, meets):
    assert app_ports.meets(wanted, address, 8001) is meets


def entry(name: str, project: str = "", port: int = 8001) -> dict:
    labels = {"com.docker.compose.project": project} if project else {}
    ports = [{"PrivatePort": 80}, {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": port, "Type": "tcp"}]
    return {"Id": "f" * 64, "Names": [f"/{name}"], "Labels": labels, "Ports": ports}


@pytest.mark.parametrize(
    ("listed", "heard", "holder"),
    [
        ([], [], ""),
        ([entry("jobs-web-1", "jobs")], [Listener("0.0.0.0", 8001, "0")], ""),
        ([entry("shop-web-1", "shop")], [], "the container shop-web-1 of the compose project shop"),
        ([entry("alone")], [], "the container alone"),
        ([entry("shop-web-1", "shop", 8002)], [], ""),
        ([], [Listener("::", 8001, "none")], "another process of this host"),
        ([], [Listener("::", 8002, "none")], ""),
    ],
)
def test_holder(listed, heard, holder):
    assert app_ports.holder(Wanted("", 8001), listed, "jobs", heard) == holder


def test_wanted():
    ports = [
        {"published": "8001", "target": 8000},
        {"published": "8000-8010", "target": 8000},
        {"published": "53", "target": 53, "protocol": "udp"},
        {"target": 9000},
        {"published": "8443", "target": 8443, "host_ip": "127.0.0.1"},
    ]
    assert app_ports.wanted({"ports": ports}) == [Wanted("", 8001), Wanted("127.0.0.1", 8443)]
