# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers are meant, and the work on all of them at once."""

from __future__ import annotations

import ssl
import sys
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, EngineError
from ansible_collections.juno.deploy.plugins.module_utils._memcached import servers as memcached_servers
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options, Server, ServerError

REFUSED = [
    ":11211",
    "host:",
    "host:0",
    "host:65536",
    "host:1x",
    "host:-1",
    "host:²",
    "1:2:3",
    "[::1",
    "[::1]11211",
    "[host]:1",
    "http://host:1",
    "host/path",
]
PARAMS = {name: spec.get("default") for name, spec in memcached_servers.ARGUMENTS.items()}


@pytest.mark.parametrize(
    ("text", "server", "address"),
    [
        ("127.0.0.1:11212", Server("127.0.0.1", 11212), "127.0.0.1:11212"),
        ("cache.example.org", Server("cache.example.org", 11299), "cache.example.org:11299"),
        (" memcached:1 ", Server("memcached", 1), "memcached:1"),
        ("[::1]:65535", Server("::1", 65535), "[::1]:65535"),
        ("[::1]", Server("::1", 11299), "[::1]:11299"),
        ("::1", Server("::1", 11299), "[::1]:11299"),
        ("fe80::1%eth0", Server("fe80::1%eth0", 11299), "[fe80::1%eth0]:11299"),
        ("/run/a b.sock", Server(path="/run/a b.sock", port=0), "/run/a b.sock"),
        ("unix:/run/m.sock", Server(path="/run/m.sock", port=0), "/run/m.sock"),
    ],
)
def test_parse_server(text, server, address):
    assert memcached_servers.parse_server(text, 11299) == server
    assert server.address == address


@pytest.mark.parametrize("text", REFUSED)
def test_parse_server_refuses(text):
    with pytest.raises(BadInputError, match="is no memcached server: write host:port"):
        memcached_servers.parse_server(text)


def test_parse_servers_takes_each_once_in_order():
    texts = ["b:1", "a:1", "b:1", "a"]
    assert [one.address for one in memcached_servers.parse_servers(texts)] == ["b:1", "a:1", "a:11211"]


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_find_servers_refuses_a_bad_port(port):
    with pytest.raises(BadInputError, match=f"port is {port}: give a number from 1 to 65535"):
        memcached_servers.find_servers({**PARAMS, "servers": ["a"], "port": port})


@pytest.mark.parametrize("seconds", [-1.0, 0.0])
def test_options_refuse_a_bad_timeout(seconds):
    with pytest.raises(BadInputError, match="give a number above 0"):
        memcached_servers.options_from({**PARAMS, "timeout_seconds": seconds})


def test_find_servers_refuses_an_empty_list():
    with pytest.raises(BadInputError, match="The list of memcached servers is empty"):
        memcached_servers.find_servers({**PARAMS, "servers": []})


class Client:
    def close(self):
        pass


def container(name, *addresses, published=()):
    return engine.Container(
        id=name,
        name=name,
        service="cache",
        number=1,
        state="running",
        image_id="",
        addresses=addresses,
        ports=(11211,),
        published=tuple(engine.Published(*one) for one in published),
    )


def find(monkeypatch, *running):
    monkeypatch.setattr(engine, "find_running", lambda *_args: list(running))
    return memcached_servers.find_servers({**PARAMS, "project": "juno", "service": "cache"}, lambda _host: Client())


def test_find_servers_by_compose(monkeypatch):
    published = [(11211, "0.0.0.0:32768"), (9150, "0.0.0.0:9150")]
    servers = find(
        monkeypatch, container("a", "172.18.0.2", "172.19.0.2"), container("b", "fd00::2", published=published)
    )
    assert [one.name for one in servers] == ["a (172.18.0.2:11211)", "b ([fd00::2]:11211)"]
    assert [one.published for one in servers] == [(), ("0.0.0.0:32768",)]


def test_find_servers_refuses_a_container_without_an_address(monkeypatch):
    with pytest.raises(EngineError, match=r"The container a has no address of its own .* name the server in 'servers'"):
        find(monkeypatch, container("a"))


def test_find_servers_without_the_sdk(monkeypatch):
    monkeypatch.setitem(sys.modules, "docker.errors", None)
    with pytest.raises(EngineError, match=r"docker\.errors.*install the package python3-docker"):
        memcached_servers.find_servers({**PARAMS, "project": "juno", "service": "cache"})


def test_options_hide_the_password():
    options = memcached_servers.options_from({**PARAMS, "username": "juno", "password": "s3cret-word"})
    assert options.password == "s3cret-word"
    assert "s3cret-word" not in repr(options)
    assert options.tls_context is None


def test_tls_context_verifies():
    context = memcached_servers.options_from({**PARAMS, "tls": True, "tls_check_hostname": False}).tls_context
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert not context.check_hostname


def test_tls_context_names_a_bad_certificate(tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with pytest.raises(BadInputError, match=f"tls_cert_file {bad} and its key can't be used"):
        memcached_servers.tls_context({**PARAMS, "tls_cert_file": str(bad)})
    with pytest.raises(BadInputError, match=f"tls_ca_file {bad} can't be used"):
        memcached_servers.tls_context({**PARAMS, "tls_ca_file": str(bad)})


def test_fan_out_tries_all_at_once_and_keeps_the_order():
    servers = [Server("a"), Server("b"), Server("c")]
    # Each waits for the others: one after another this would never end.
    barrier = threading.Barrier(3, timeout=5)

    def work(server):
        barrier.wait()
        if server.host == "b":
            raise ServerError("refused", "b refused")
        return server.host

    first, second, third = memcached_servers.fan_out(servers, work, limit_seconds=10)
    assert (first, third) == ("a", "c")
    assert isinstance(second, ServerError)
    assert second.kind == "refused"


def test_fan_out_does_not_wait_for_one_that_never_ends():
    never = threading.Event()
    started = time.monotonic()
    ends = memcached_servers.fan_out(
        [Server("a"), Server("b")], lambda server: never.wait() if server.host == "a" else "done", limit_seconds=0.2
    )
    never.set()
    assert time.monotonic() - started < 5
    assert isinstance(ends[0], ServerError)
    assert (ends[0].kind, ends[1]) == ("silent", "done")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_fan_out_hides_no_fault_of_its_own():
    with pytest.raises(RuntimeError, match="a:11211 ended without an outcome"):
        memcached_servers.fan_out([Server("a")], lambda _server: 1 // 0, limit_seconds=5)


def test_default_options_are_bounded():
    assert Options().timeout_seconds == 5
