# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports are asked before and after a switch, and when the answers are as before."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import published_ports
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.plugins.module_utils._state.switch_spec import SwitchSpec


def port(published, **more):
    return {"target": 8000, "published": published, "protocol": "tcp", **more}


def test_every_published_port_of_the_project():
    config = {
        "services": {
            "web": {"ports": [port("8001"), port("8002", host_ip="127.0.0.1")]},
            "nginx": {"ports": [port("80", host_ip="::"), port("443", protocol="udp"), port("9000-9001")]},
            "db": {},
        }
    }
    assert published_ports.list_all(config) == [("127.0.0.1", 8001), ("::1", 8001), ("127.0.0.1", 8002), ("::1", 80)]
    assert published_ports.list_all({"services": {}}) == []


@pytest.mark.parametrize(
    ("before", "after", "good"),
    [
        ("http 200", "http 200", True),
        ("http 200", "http 302", True),
        ("http 404", "http 200", True),
        ("http 200", "http 502", False),
        ("http 200", "", False),
        ("http 200", "tls", False),
        ("tls", "tls", True),
        ("tls", "http 400", False),
        ("other", "other", True),
        ("other", "", False),
        ("silent", "silent", True),
        # It was slow to speak.
        ("silent", "other", True),
        ("silent", "http 500", False),
        ("silent", "", False),
        ("other", "silent", False),
    ],
)
def test_an_answer_as_before(before, after, good):
    port = ("127.0.0.1", 2525)
    if good:
        published_ports.require({port: before}, lambda _host, _port: after, 0)
        return
    with pytest.raises(JunoError, match=r"published port 127\.0\.0\.1:2525 answered before the switch"):
        published_ports.require({port: before}, lambda _host, _port: after, 0)


@pytest.mark.parametrize("before", ["", "http 503"])
def test_what_did_not_answer_before_needs_not_answer_now(before):
    published_ports.require({("::1", 8001): before}, lambda _host, _port: "", 0)


def test_what_needs_a_while_is_waited_for(monkeypatch):
    monkeypatch.setattr(published_ports, "PAUSE_SECONDS", 0.01)
    answers = iter(["", "http 502", "http 200"])
    published_ports.require({("::1", 80): "http 200"}, lambda _host, _port: next(answers), 5)


def test_nothing_is_waited_for_when_the_new_container_has_ended():
    def ended():
        raise JunoError("The new container app-web-2 ended after it had been healthy")

    with pytest.raises(JunoError, match="app-web-2 ended"):
        published_ports.require({("127.0.0.1", 80): "http 200"}, lambda _host, _port: "http 503", 600, ended)
    published_ports.require({("127.0.0.1", 80): "http 200"}, lambda _host, _port: "http 200", 600, ended)


def test_the_words_name_the_port_and_both_answers():
    with pytest.raises(JunoError, match=r"\[::1\]:25 .*\(not by HTTP\), and now it does not \(HTTP status 400\)"):
        published_ports.require({("::1", 25): "other"}, lambda _host, _port: "http 400", 0)


def test_only_what_answers_is_kept():
    kinds = {
        ("127.0.0.1", 8001): "http 200",
        ("::1", 8001): "",
        ("127.0.0.1", 80): "http 502",
        ("127.0.0.1", 25): "other",
    }
    assert published_ports.note(kinds) == [("127.0.0.1", 8001, "http 200"), ("127.0.0.1", 25, "other")]


def test_a_port_that_has_gone_since_the_deploy(monkeypatch):
    monkeypatch.setattr(published_ports, "LOOK_SECONDS", 0)
    asked = []

    def kind(host, port, path, headers):
        asked.append((path, headers))
        return {80: "http 502", 25: "other"}[port]

    monkeypatch.setattr(published_ports.port_kind, "kind", kind)
    spec = SwitchSpec("c", {}, "rolling", "haproxy:3.0", "", {"Host": "example.org"}, "/up", 30, 120, 3)
    entry = Entry(number=7, published_ports=[("127.0.0.1", 80, "http 200"), ("127.0.0.1", 25, "other")], spec=spec)
    (found,) = published_ports.findings(entry)
    assert "127.0.0.1:80 answered when release 7 was deployed (HTTP status 200), and now it does not (HTTP" in found
    assert set(map(str, asked)) == {"('/up', {'Host': 'example.org'})"}


@pytest.mark.parametrize("entry", [None, Entry(number=1)])
def test_a_release_of_which_no_port_is_known(entry):
    assert published_ports.findings(entry) == []
