# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs no variable is told, and what deploys will do."""

from __future__ import annotations

import dataclasses

import pytest

from . import sites

FOUND, DEPLOYS = "Found, and nothing to set", "What deploys will do"
KEYS = {"keys_begin_with": ":1:", "version_type": "int", "key_function": "", "key_error": ""}
LOOK, TO_DO = "Worth a look, though a deploy works", "To do before a deploy works"


def planned(facts, quick=None, **more):
    strategy = {**sites.ROLLING, **more}
    return dataclasses.replace(facts, strategy=strategy, quick_strategy=quick or strategy)


def test_a_site_that_runs_tells_more(tmp_path):
    told = sites.info()
    cache = {"alias": "default", "backend": "django.core.cache.backends.memcached.PyMemcacheCache", "error": ""}
    told["caches"] = [{**cache, "family": "memcached", **KEYS}]
    told["cache_version"] = {"variable": "CACHE_VERSION", "honoured": {"default": True}, "types": {}, "error": ""}
    told["static"] = {
        **told["static"],
        "storage": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        "root": "/code/staticfiles",
    }
    facts = sites.asked(sites.found(tmp_path, "another_name"), told)
    said = sites.said(facts, FOUND)
    for words in (
        "settings: 5.2 on Python 3.13.5, DEBUG off, settings demo.settings",
        "server: gunicorn, 3 sync workers, at 0.0.0.0:8000, can be reloaded",
        "database: no service of the project; Django's engine is sqlite3",
        "'default' is PyMemcacheCache; a new release has keys of its own in default by CACHE_VERSION",
        "the site serves them itself (WhiteNoise)",
        "SECURE_SSL_REDIRECT: off; ALLOWED_HOSTS: *",
    ):
        assert words in said
    assert "database: Django has none" in sites.said(sites.asked(facts, databases={}), FOUND)


def test_a_site_that_could_not_be_asked(tmp_path):
    facts = dataclasses.replace(sites.found(tmp_path, "usual"), why_not_asked="no container of 'web' runs.")
    assert "the site's settings: not asked, since no container of 'web' runs - front" in sites.said(facts, FOUND)


def test_who_else_may_be_before_the_site(tmp_path):
    facts = dataclasses.replace(sites.found(tmp_path, "usual"), held={80: "nginx, process 8", 443: "nginx, process 8"})
    assert "beside the project: nginx, process 8, holds port 80 and 443 of this host" in sites.said(facts, FOUND)


def test_a_release_that_serves(tmp_path):
    facts = dataclasses.replace(sites.found(tmp_path, "usual"), release=7)
    assert "release: 7 serves, deployed by juno.deploy" in sites.said(facts, FOUND)


@pytest.mark.parametrize(
    ("more", "words", "not_said"),
    [
        ({}, "deploy: by rolling, no request is lost -", "first deploy"),
        ({"first_proxy": True}, "the first deploy: the proxy takes over the app's ports", "recreated"),
        ({"front_recreated": ["nginx"]}, "the first deploy: nginx is recreated once", "takes over"),
        (
            {"routes_moved": "'traefik'"},
            "the first deploy: 'traefik' asks the site through the proxy",
            "recreated once",
        ),
        (
            {"strategy": "recreate", "strategy_reasons": ["not rolling, because the service publishes no port"]},
            "which is measured; not rolling, because the service publishes no port; with that changed no request would",
            "first deploy",
        ),
    ],
)
def test_what_a_deploy_would_do(tmp_path, more, words, not_said):
    said = sites.said(planned(sites.found(tmp_path, "usual"), quick=sites.ROLLING, **more), DEPLOYS)
    assert words in said
    assert not_said not in said


def test_a_quick_deploy_that_reloads(tmp_path):
    quick = {**sites.ROLLING, "strategy": "reload"}
    said = sites.said(planned(sites.found(tmp_path, "usual"), quick), DEPLOYS)
    assert said == "- deploy: by rolling, no request is lost - quick_deploy: by reload, no request is lost"


def test_the_image_of_the_proxy(tmp_path):
    facts = dataclasses.replace(planned(sites.found(tmp_path, "usual")), pulls_proxy=True)
    assert "haproxy:3.0 is not on this host and is pulled; where that can't be" in sites.said(facts, DEPLOYS)
    assert "in django_app_proxy_image" in sites.said(facts, DEPLOYS)
    recreate = dataclasses.replace(planned(facts, strategy="recreate"), pulls_proxy=True)
    assert "haproxy" not in sites.said(recreate, DEPLOYS)


def test_what_is_in_the_way_comes_first(tmp_path):
    facts = planned(sites.found(tmp_path, "usual"))
    assert "Nothing is in the way of a deploy." in sites.said(facts)
    facts = dataclasses.replace(facts, problems=("Set 'base_url'. Nothing was changed.", "Two."))
    assert sites.said(facts, TO_DO) == "- Set django_app_base_url. - Two."
    assert "Nothing is in the way" not in sites.said(facts)
    assert sites.text(facts).index(TO_DO) < sites.text(facts).index("django_app_path")


def test_what_is_wrong_with_the_site_itself(tmp_path):
    facts = sites.asked(sites.found(tmp_path, "usual"), sites.info(debug=True))
    assert "DEBUG is on, so every visitor can read settings" in sites.said(facts, LOOK)
    assert LOOK not in sites.said(sites.asked(facts))


@pytest.mark.parametrize(("server", "warned"), [("runserver", True), ("gunicorn", False)])
def test_the_development_server_is_told_of_where_the_site_can_not_be_asked(tmp_path, server, warned):
    facts = sites.found(tmp_path, "usual")
    facts = dataclasses.replace(facts, chosen=(dataclasses.replace(facts.chosen[0], server=server),))
    assert ("development server" in sites.said(facts)) is warned
