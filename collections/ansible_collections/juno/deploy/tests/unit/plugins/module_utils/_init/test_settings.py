# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site itself tells becomes variables, where it is not as the defaults have it."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._init import settings

from . import sites

MANIFEST = {"exists": True, "hash": "1", "entries": 1}


def of_site(tmp_path, name="usual", told=None, **more):
    """Return what is set beside the path and the service."""
    found = sites.variables(sites.asked(sites.found(tmp_path, name), told, **more))
    return {key: value for key, value in found.items() if key not in ("path", "service")}


@pytest.mark.parametrize(
    ("hosts", "header", "offered"),
    [
        (["*"], None, []),
        ([], None, []),
        (["jobs.example.org"], "jobs.example.org", []),
        ([".Example.org"], "example.org", []),
        (["jobs.example.org", "localhost", "127.0.0.1", "[::1]"], "jobs.example.org", []),
        (["example.org", "www.example.org"], "example.org", []),
        (["example.org", "www.example.org", "127.0.0.1"], None, ["example.org", "www.example.org"]),
        (["localhost", "203.0.113.5"], None, []),
        (["example.org", "*"], None, []),
        (["{{ lookup('pipe', 'id') }}", "a b", "x:1"], None, []),
    ],
)
def test_the_name_that_the_checks_ask_by(tmp_path, hosts, header, offered):
    facts = sites.asked(sites.found(tmp_path, "usual"), allowed_hosts=tuple(hosts))
    assert sites.variables(facts).get("host_header") == header
    assert [one.value for one in settings.of(facts) if one.name == "host_header" and one.off] == offered
    assert "{{" not in sites.text(facts).partition("Found, and nothing to set")[0]


@pytest.mark.parametrize(
    ("name", "redirects", "trusts", "found"),
    [
        ("usual", False, False, {}),
        ("usual", True, True, {"https": True}),
        ("nginx", True, True, {"https": True}),
        # A front proxy with TLS is asked by it.
        ("nginx_https", True, True, {}),
        # It can't be asked at all, which is a problem.
        ("usual", True, False, {}),
    ],
)
def test_a_site_that_leads_to_https(tmp_path, name, redirects, trusts, found):
    assert of_site(tmp_path, name, redirects_to_https=redirects, trusts_forwarded_proto=trusts) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", None),
        ("/code/staticfiles/staticfiles.json", None),
        ("/code/public/staticfiles.json", "public/staticfiles.json"),
        ("/srv/static/staticfiles.json", "/srv/static/staticfiles.json"),
        ("/code/{{ x }}/staticfiles.json", None),
    ],
)
def test_the_manifest_of_static_files(tmp_path, path, found):
    told = sites.info()
    told["static"] = {
        **told["static"],
        "storage": "s.Manifest",
        "manifest": {**MANIFEST, "path": path} if path else None,
    }
    assert of_site(tmp_path, told=told).get("static_manifest") == found


@pytest.mark.parametrize(
    ("other", "named", "found"),
    [
        ("demo.settings", False, None),
        ("demo.production", False, "demo.production"),
        ("demo.production", True, None),
        (None, False, None),
        ("demo; rm", False, None),
    ],
)
def test_settings_that_only_the_server_names(tmp_path, other, named, found):
    told = sites.info(environment={"read": True, "error": "", "settings_named": named})
    told["application"] = {"module": "demo.wsgi", "settings": other, "error": ""}
    assert of_site(tmp_path, told=told).get("settings") == found


@pytest.mark.parametrize(
    ("git", "found"),
    [
        (sites.GIT, {}),
        (sites.Git("", "", "main"), {}),
        (sites.Git("upstream", "u", "main"), {"remote": "upstream"}),
        (sites.Git("origin", "u", "production"), {"branch": "production"}),
        (sites.Git("origin", "u", "feature/{{x}}"), {"branch": "feature/{{x}}"}),
    ],
)
def test_the_remote_and_the_branch(tmp_path, git, found):
    facts = dataclasses.replace(sites.found(tmp_path, "usual"), git=git)
    assert sites.variables_text(facts) == {"path": facts.app.path, **found}


@pytest.mark.parametrize(("others", "offered"), [({}, True), ({"files": ""}, True), ({"files": "../shop"}, False)])
def test_a_folder_where_there_is_no_git_server(tmp_path, others, offered):
    facts = dataclasses.replace(sites.found(tmp_path, "usual"), git=sites.Git(none=True))
    facts = dataclasses.replace(facts, given=dataclasses.replace(facts.given, others=others))
    found = [(one.value, one.off) for one in settings.of(facts) if one.name == "files"]
    assert found == [(os.path.basename(facts.app.path), True) if offered else ("../shop", False)]


def test_files_that_the_containers_were_started_by(tmp_path):
    facts = sites.found(tmp_path, "usual")
    by_hand = dataclasses.replace(facts, app=dataclasses.replace(facts.app, compose_files=("a.yml", "b.yml")))
    by_hand = dataclasses.replace(by_hand, files=("a.yml", "b.yml"))
    assert sites.variables(by_hand)["compose_files"] == ["a.yml", "b.yml"]
    assert "were started by these (docker compose -f a.yml -f b.yml)" in sites.said(by_hand)
