# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's ports: those that a person wants, else those that its droplet has."""

from __future__ import annotations

import json

import pytest

from droplet.process import DropletError
from tools import demo


@pytest.mark.parametrize(("wanted", "given"), [({}, 8001), ({"JUNO_DEMO_HTTP_PORT": ""}, 8001)])
def test_the_port_that_is_there_stays(wanted, given):
    assert demo.port("HTTP", wanted, given) == given


def test_a_port_that_is_wanted_is_taken():
    assert demo.port("HTTP", {"JUNO_DEMO_HTTP_PORT": "8101"}, 8001) == 8101


@pytest.mark.parametrize("text", ["0", "65536", "-1", "eighty", "\u0661"])
def test_what_is_no_port_is_refused(text):
    with pytest.raises(DropletError, match="JUNO_DEMO_SSH_PORT"):
        demo.port("SSH", {"JUNO_DEMO_SSH_PORT": text}, 2201)


def test_a_plain_demo_after_one_with_other_ports_keeps_them(tmp_path, monkeypatch):
    facts = tmp_path / "droplet.json"
    monkeypatch.setattr(demo, "FACTS", facts)
    asked = []

    class EnoughError(Exception):
        pass

    def up(name, folder, **ports):
        asked.append(ports)
        raise EnoughError

    for module, name in ((demo.engine, "up"), (demo.images, "up")):
        monkeypatch.setattr(module, name, lambda: None)
    monkeypatch.setattr(demo.droplets, "up", up)
    monkeypatch.setattr(demo.shutil, "which", lambda program: program)
    monkeypatch.delenv("JUNO_DEMO_SSH_PORT", raising=False)
    monkeypatch.delenv("JUNO_DEMO_HTTP_PORT", raising=False)
    for known in ({}, {"ssh_port": 2301, "http_port": 8101}):
        if known:
            facts.write_text(json.dumps(known), encoding="utf-8")
        with pytest.raises(EnoughError):
            demo.up()
    assert asked == [{"ssh_port": 2201, "http_port": 8001}, {"ssh_port": 2301, "http_port": 8101}]
