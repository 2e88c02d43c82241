# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's address and name where a front proxy of the project's own tells them: found once, used by each step."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect
from ansible_collections.juno.deploy.plugins.module_utils._release import begin as release_begin
from ansible_collections.juno.deploy.plugins.module_utils._runtime import front_address
from ansible_collections.juno.deploy.plugins.module_utils._state import lock
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._release import begin_done

URLS = ["http://127.0.0.1", "https://127.0.0.1"]
NAMED = {"Host": "www.example.org", "X-Forwarded-Proto": "https"}
HTTPS = front_address.Address("https://127.0.0.1", NAMED)


@pytest.fixture
def app(tmp_path):
    return app_app.App("/root/x", "jobs", "web", (), (), "", str(tmp_path))


@pytest.fixture
def asked(monkeypatch):
    """Let the front proxy lead to https; return how it was asked."""
    notes = []

    def find(urls, headers, path):
        notes.append((urls, headers, path))
        return HTTPS

    monkeypatch.setattr(release_begin.front_address, "find", find)
    return notes


def found(urls, host="", **more):
    return {
        "plan": {"deploy": True, "strategy": "rolling"},
        "git": {"target_commit": "8f5d0b1c"},
        "compose": {"base_url": urls[0] if urls else "http://127.0.0.1:8001", "front_urls": urls, "front_host": host},
        "containers": [{"service": "web", "state": "running"}],
        **more,
    }


@pytest.mark.parametrize(
    ("pages", "headers", "path", "sent"),
    [
        ([], {}, "/", {}),
        ([{"path": "/jobs/"}, {"path": "/"}], {"X-Port": 80}, "/jobs/", {"X-Port": "80"}),
    ],
)
def test_a_front_proxy_is_asked_for_the_first_page(app, asked, pages, headers, path, sent):
    spec, at = specs.release(pages=pages, headers=headers), found(URLS)
    given = dict(spec)
    assert release_begin.with_address(app, spec, at) == {**spec, "base_url": "https://127.0.0.1", "headers": NAMED}
    assert asked == [(URLS, sent, path)]
    assert at["site"] == {"base_url": "https://127.0.0.1", "headers": NAMED}
    # What a person has said is what a reboot has, and the next deploy.
    assert spec == given


@pytest.mark.parametrize(
    ("headers", "sent"), [({}, {"Host": "jobs.example"}), ({"Host": "a.example"}, {"Host": "a.example"})]
)
def test_a_front_proxy_that_tells_sites_apart_is_asked_for_this_one(app, asked, headers, sent):
    release_begin.with_address(app, specs.release(pages=[], headers=headers), found(URLS, "jobs.example"))
    assert asked == [(URLS, sent, "/")]


def test_one_elsewhere_on_this_host_too(app, asked):
    """Traefik of another project: a person says where it is."""
    spec = specs.release(base_url="http://127.0.0.1", headers={})
    at = found([], "jobs.example")
    assert release_begin.with_address(app, spec, at) == {**spec, "headers": {"Host": "jobs.example"}}
    assert asked == []


@pytest.mark.parametrize(("base_url", "urls"), [("http://127.0.0.1:8001", URLS), ("", []), ("https://127.0.0.1", [])])
def test_what_a_person_has_set_is_not_looked_for(app, asked, base_url, urls):
    spec, at = specs.release(base_url=base_url, headers={"Host": "a.example"}), found(urls)
    assert release_begin.with_address(app, spec, at) == spec
    assert (asked, "site" in at) == ([], False)


def test_while_the_maintenance_page_is_shown_checks_go_past_it(app, asked, monkeypatch):
    """At the front door there would be nothing but the page."""
    monkeypatch.setattr(release_begin.maintenance, "is_on", lambda directory: directory == app.proxy_directory)
    spec, at = specs.release(), found(URLS)
    assert release_begin.with_address(app, spec, at) == {**spec, "base_url": "", "headers": NAMED}
    assert at["site"] == {"base_url": "", "headers": NAMED}


@pytest.fixture
def did(monkeypatch):
    """Let nothing be done; note what would be."""
    notes = begin_done.noted(monkeypatch)
    monkeypatch.setattr(inspect, "inspect", lambda *_any: found(URLS))
    return notes


def no_checkout(argv, **_more):
    return CommandResult(argv, 128, "", "")


def test_a_begin_uses_it(app, asked, did):
    spec = specs.release(purpose="deploy", probe_rate=5, pages=[{"path": "/"}])
    holder = lock.Holder("one", "deploy", "rohit@laptop")
    result = release_begin.begin(no_checkout, app, spec, holder, "/var/lib/juno/.package/abc")
    assert result["site"] == {"base_url": "https://127.0.0.1", "headers": NAMED}
    calls = {name: args for name, *args in did}
    assert (calls["start"][1]["base_url"], calls["start"][1]["headers"]) == ("https://127.0.0.1", NAMED)
    assert calls["prepare"][2].base_url == "https://127.0.0.1"
    # After a reboot somebody else looks for it again.
    assert (calls["arm"][1]["base_url"], calls["arm"][1]["headers"]) == ("", {})
    # By https nobody is asked for notices.
    assert result["notices"] == []


def test_a_look_uses_it_too(app, asked, did):
    result = release_begin.look_only(no_checkout, app, specs.release(pages=[{"path": "/"}]))
    assert result["site"] == {"base_url": "https://127.0.0.1", "headers": NAMED}
    assert [name for name, *_args in did] == ["prepare"]
    assert len(asked) == 1
