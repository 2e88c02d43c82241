# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runtime socket: parsers over what HAProxy 3.0 printed, and a server that answers as it does."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import runtime
from ansible_collections.juno.deploy.plugins.module_utils._proxy.runtime import Slot
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._proxy.places import HEAD, Proxy, place

# HAProxy 3.0.11: one container that gets requests, one held back, a free place; nobody listens at 9000.
HELD = (
    HEAD
    + """6 app_8000 1 web1 172.18.0.2 2 0 1 1 38 6 3 5 6 0 0 0 web 8000 - 0 0 - - 0
6 app_8000 2 web2 172.18.0.4 2 8 1 1 2 1 0 1 6 0 0 0 web 8000 - 0 0 - - 0
6 app_8000 3 web3 - 0 40 1 1 38 1 0 0 14 0 0 0 web 8000 - 0 0 - - 0
7 app_9000 1 web1 172.18.0.2 0 0 1 1 38 8 2 0 6 0 0 0 web 9000 - 0 0 - - 0
7 app_9000 2 web2 172.18.0.4 0 8 1 1 2 8 2 0 6 0 0 0 web 9000 - 0 0 - - 0

"""
)
# HAProxy itself, for what may be sent a second time, is no place for a container.
HELD += "8 app_8000_again 1 itself 127.0.0.1 2 0 1 1 38 1 0 2 0 0 0 0 - 17000 - 0 0 - - 0\n"
# The same, before anything was held: without an address a place is in maintenance by the resolver (32).
FRESH = HEAD + "6 app_8000 2 web2 - 0 32 1 1 4 1 0 0 14 0 0 0 web 8000 - 0 0 - - 0\n\n"


#: With two frontends of a front proxy among the others, and a backend whose name begins as theirs do.
def test_places_are_read():
    assert runtime.parse_slots(HELD) == [
        Slot("app_8000", "web1", "172.18.0.2", running=True, drained=False),
        Slot("app_8000", "web2", "172.18.0.4", running=True, drained=True),
        Slot("app_8000", "web3", "", running=False, drained=True),
        Slot("app_9000", "web1", "172.18.0.2", running=False, drained=False),
        Slot("app_9000", "web2", "172.18.0.4", running=False, drained=True),
    ]
    assert runtime.parse_slots(FRESH) == [Slot("app_8000", "web2", "", running=False, drained=False)]
    assert Slot("app_8000", "web1", "", running=False, drained=False).path == "app_8000/web1"


@pytest.mark.parametrize("text", ["", "1\n", HEAD, "Unknown command: 'x'\n"])
def test_no_places(text):
    assert runtime.parse_slots(text) == []


def test_columns_are_found_by_their_names():
    text = "1\n# srv_name be_name srv_addr srv_admin_state srv_op_state new\nweb1 app_8000 10.0.0.2 8 2 x\n"
    assert runtime.parse_slots(text) == [Slot("app_8000", "web1", "10.0.0.2", running=True, drained=True)]


def arrives(number: int, address: str, **more):
    def come(proxy: Proxy) -> None:
        old = proxy.places[f"app_8000/web{number}"]
        proxy.places[old.path] = place(number, address, drained=old.drained, **more)

    return come


def test_newcomers_are_held_before_they_come():
    proxy = Proxy(place(1, "10.0.0.2"), place(2), place(3, drained=True))
    runtime.drain_new(proxy)
    # Who serves goes on, and what is held is not told again.
    assert proxy.changes() == ["set server app_8000/web2 state drain"]


def test_all_places_are_given_back():
    proxy = Proxy(place(1, "10.0.0.2"), place(2, "10.0.0.3", drained=True), place(3, drained=True))
    runtime.free(proxy)
    assert proxy.changes() == ["set server app_8000/web2 state ready", "set server app_8000/web3 state ready"]


def test_a_newcomer_gets_requests_once_the_dns_names_it():
    proxy = Proxy(place(1, "10.0.0.2"), place(2, drained=True))
    proxy.later = [lambda _proxy: None, arrives(2, "10.0.0.3")]
    runtime.enable(proxy, [("10.0.0.3",)], "app_8000", 5)
    assert proxy.changes() == ["set server app_8000/web2 state ready"]


def test_it_waits_until_every_newcomer_is_there():
    proxy = Proxy(place(1, drained=True), place(2, drained=True))
    proxy.later = [arrives(1, "10.0.0.2"), lambda _proxy: None, arrives(2, "10.0.0.3")]
    runtime.enable(proxy, [("10.0.0.2",), ("10.0.0.3",)], "app_8000", 5)
    assert sorted(proxy.changes()) == ["set server app_8000/web1 state ready", "set server app_8000/web2 state ready"]


def test_one_of_a_containers_addresses_is_enough():
    proxy = Proxy(place(1, "10.1.0.2", drained=True))
    runtime.enable(proxy, [("10.0.0.2", "10.1.0.2")], "app_8000", 0)
    assert proxy.changes() == ["set server app_8000/web1 state ready"]


def test_a_newcomer_that_the_dns_never_names_is_told():
    with pytest.raises(EngineError, match=r"does not find the new container \(10\.0\.0\.3\) by Docker's DNS"):
        runtime.enable(Proxy(place(1, "10.0.0.2")), [("10.0.0.3",)], "app_8000", 0)


def test_a_newcomer_that_refuses_the_proxy_is_told():
    proxy = Proxy(place(2, "10.0.0.3", running=False, drained=True))
    with pytest.raises(EngineError, match=r"can't connect to the new container \(10\.0\.0\.3\).*0\.0\.0\.0"):
        runtime.enable(proxy, [("10.0.0.3",)], "app_8000", 0)


def test_a_refusal_is_told():
    # Captured: HAProxy says it in words and closes the connection, there is no code.
    with pytest.raises(EngineError, match=r"refused 'set server app_8000/web9 state drain': No such server\."):
        runtime.set_state(Proxy(), [place(9)], "drain")


@contextlib.contextmanager
def serving(path: str, answer):
    """Answer one line for each connection at a socket, in pieces, and close it, as HAProxy does."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            while True:
                try:
                    link, _who = server.accept()
                except OSError:
                    return  # the test is over
                with link, link.makefile("rb") as lines:
                    text = answer(lines.readline().decode()).encode()
                    link.sendall(text[:100])
                    link.sendall(text[100:])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_a_real_socket_is_asked(tmp_path):
    heard = []

    def answer(line: str) -> str:
        heard.append(line)
        return HELD

    path = str(tmp_path / "edge.sock")
    with serving(path, answer):
        ask = runtime.asker(path)
        assert [one.path for one in runtime.slots(ask)][:2] == ["app_8000/web1", "app_8000/web2"]
        assert len(runtime.at(ask, ["172.18.0.4"])) == 2
    assert heard == ["show servers state\n"] * 2


def test_nobody_at_the_socket_is_told(tmp_path):
    path = str(tmp_path / "edge.sock")
    with pytest.raises(EngineError, match=r"does not answer at its socket .*edge\.sock \(No such file"):
        runtime.slots(runtime.asker(path))
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)  # as a killed HAProxy leaves it: there, and nobody listens
    with pytest.raises(EngineError, match="Connection refused"):
        runtime.slots(runtime.asker(path))


def test_a_path_that_is_too_long_is_told(tmp_path):
    with pytest.raises(EngineError, match="too long"):
        runtime.slots(runtime.asker(str(tmp_path / ("x" * 200))))


def test_a_further_port_that_nobody_listens_at_keeps_nobody_out():
    debugger = place(1, "10.0.0.3", running=False, drained=True, backend="app_9000")
    proxy = Proxy(place(1, "10.0.0.3", drained=True), debugger)
    runtime.enable(proxy, [("10.0.0.3",)], "app_8000", 0)
    assert proxy.changes() == ["set server app_8000/web1 state ready", "set server app_9000/web1 state ready"]


def test_to_be_known_at_a_further_port_alone_is_not_enough():
    proxy = Proxy(place(1, drained=True), place(1, "10.0.0.3", drained=True, backend="app_9000"))
    with pytest.raises(EngineError, match="does not find the new container"):
        runtime.enable(proxy, [("10.0.0.3",)], "app_8000", 0)
    assert proxy.changes() == []


def test_a_proxy_that_just_began_is_waited_for():
    answers = [EngineError("nobody"), "", "Name: HAProxy\nPid: 8\n"]

    def ask(_command):
        answer = answers.pop(0)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    runtime.wait_until_up(ask, 5)
    assert answers == []


def test_a_new_process_is_waited_for():
    answers = ["Pid: 8\n", EngineError("between the two"), "Pid: 8\n", "Pid: 12\n"]

    def ask(_command):
        answer = answers.pop(0)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    runtime.wait_until_up(ask, 5, other_than=runtime.process(ask))
    assert answers == []


def test_a_configuration_that_is_not_taken_is_told():
    with pytest.raises(EngineError, match="has not taken its new configuration"):
        runtime.wait_until_up(lambda _command: "Pid: 8\n", 0, other_than="8")


def test_a_second_time_is_allowed_for_a_while(monkeypatch):
    monkeypatch.setattr(runtime.time, "time", lambda: 1000.5)
    commands = []
    runtime.allow_second(lambda command: commands.append(command) or "", 60)
    runtime.allow_second(lambda command: commands.append(command) or "Unknown map identifier.", 0)
    assert commands == ["set map /etc/juno/switch.map until 1060", "set map /etc/juno/switch.map until 0"]


def test_a_proxy_that_never_answers_is_told(tmp_path):
    with pytest.raises(EngineError, match=r"does not answer at its socket .*edge\.sock"):
        runtime.wait_until_up(runtime.asker(str(tmp_path / "edge.sock")), 0)
