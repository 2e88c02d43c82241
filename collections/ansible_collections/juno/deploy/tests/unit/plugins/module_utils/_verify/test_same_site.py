# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a page at the front door is taken for another site's, and when it is not."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._verify import same_site
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Direct, Page, Visit

SHOP = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Corner shop</title>
<link rel="stylesheet" href="/static/shop.55e7cbb9ba48.css"><script>var csrf = "a";</script></head><body>
<nav><a href="/">Home</a> <a href="/jobs/">Jobs</a> <a href="/about/">About us</a></nav>
<h1>Welcome to the corner shop</h1><p>Bread, cheese and wine from people of this town. Please come in, we are open.</p>
<form action="/search/"><input type="hidden" name="csrfmiddlewaretoken" value="kY12"></form></body></html>"""
NGINX = """<!DOCTYPE html><html><head><title>Welcome to nginx!</title>
<style>html { color-scheme: light dark; } body { width: 35em; margin: 0 auto; }</style></head>
<body><h1>Welcome to nginx!</h1><p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p><p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p><p><em>Thank you for using nginx.</em></p></body></html>"""
BANK = """<html><head><title>Sign in - Town bank</title></head><body><h1>Sign in</h1><form action="/login"><label>User
name</label><label>Password</label><button>Sign in</button></form><p>Please call us if you
forgot it.</p></body></html>"""
SPA = '<head><title>App</title></head><body><div id="root"></div><script src="/static/app.js"></script></body>'
PAGE = Page("/")


def answer(text, status=200, kind="text/html; charset=utf-8"):
    return Answer("/", status, {"content-type": kind}, text.encode())


@pytest.mark.parametrize(
    ("front", "inside"),
    [
        pytest.param(SHOP, SHOP, id="as it is"),
        pytest.param(SHOP.replace("kY12", "zz99"), SHOP, id="another token"),
        pytest.param(SHOP.replace('href="/', 'href="https://www.shop.example/'), SHOP, id="absolute links"),
        pytest.param(
            SHOP.replace("<body>", "<body>" + "<div>We test this. Do not order. </div>" * 3), SHOP, id="banner"
        ),
        pytest.param(SHOP.replace("<title>", "<title>STAGING "), SHOP, id="another title, the same page"),
        pytest.param(SHOP.replace("\n", ""), SHOP, id="in one line"),
        pytest.param("<title>Corner shop</title>sold out", SHOP, id="the same title alone"),
        pytest.param("<p>release one</p>", "<p>release two</p>", id="of another release"),
        pytest.param("<p>12:00:01</p>", "<p>12:00:02</p>", id="nothing but the time"),
        pytest.param(SPA.replace("App", "Our app"), SPA, id="a page that a script makes"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_page_of_the_site(front, inside):
    assert same_site.difference(PAGE, answer(front), answer(inside)) == ""


@pytest.mark.parametrize(
    ("front", "inside", "said"),
    [
        (
            NGINX,
            SHOP,
            "with the title 'Welcome to nginx!', where its container has a page with the title 'Corner shop'",
        ),
        (
            BANK,
            SHOP,
            "with the title 'Sign in - Town bank', where its container has a page with the title 'Corner shop'",
        ),
        (SHOP, SPA, "with the title 'Corner shop', where its container has a page with the title 'App'"),
        ("<h1>It works!</h1>", SHOP, "without a title, where its container has a page with the title 'Corner shop'"),
        (NGINX, "<p>ok</p>", "with the title 'Welcome to nginx!', where its container has a page without a title"),
    ],
)
def test_a_page_of_another_site(front, inside, said):
    assert same_site.difference(PAGE, answer(front), answer(inside)) == f"answered 200 {said}"


def test_a_page_where_an_answer_of_another_kind_is_wanted():
    health = answer('{"status": "ok"}', kind="application/json")
    assert same_site.difference(PAGE, answer(NGINX), health)
    assert not same_site.difference(PAGE, answer('{"other": 1}', kind="application/json"), health)


@pytest.mark.parametrize(
    ("page", "front", "inside"),
    [
        pytest.param(PAGE, answer(NGINX, 404), answer(SHOP), id="the status tells"),
        pytest.param(PAGE, answer(NGINX), answer(SHOP, 400), id="a container refuses"),
        pytest.param(PAGE, Answer("/", failure="connection refused"), answer(SHOP), id="no answer"),
        pytest.param(Page("/", 404), answer(NGINX, 404), answer(SHOP, 404), id="an error that is wanted"),
        pytest.param(Page("/", contains=("nginx",)), answer(NGINX), answer(SHOP), id="a person has named a text"),
    ],
)
def test_where_others_tell(page, front, inside):
    assert same_site.difference(page, front, inside) == ""


def test_a_link_is_the_same_with_and_without_the_site_s_name():
    for link in ("https://www.shop.example/jobs/", "//shop.example/jobs/?page=2", "/jobs/#top"):
        assert same_site.shared(answer(f'<a href="{link}"></a>'), answer("<a href='/jobs/'></a>")) == 1.0


def visited(page, *texts):
    return Visit(page, tuple(map(answer, texts)))


def test_findings_about_pages_that_no_container_has():
    inside = [Direct(PAGE, f"shop-web-{one}", answer(SHOP)) for one in (1, 2)]
    [found] = same_site.findings(
        [visited(PAGE, NGINX, NGINX), visited(Page("/found", source="sitemap"), NGINX)], inside
    )
    assert (found.what, found.path, found.level) == ("page", "/", "error")
    assert found.problem.startswith("is not the site's page: it answered 200 with the title 'Welcome to nginx!', where")
    assert "correct 'base_url'" in found.problem


@pytest.mark.parametrize(
    ("texts", "inside"),
    [
        pytest.param((NGINX, NGINX), [], id="no container was asked"),
        pytest.param((NGINX, NGINX), [SHOP, NGINX], id="one container has it"),
        pytest.param((BANK, NGINX), [SHOP], id="another one each time"),
        pytest.param((NGINX,), [SHOP], id="the second answer is missing"),
        pytest.param((SHOP, SHOP), [SHOP], id="the site"),
    ],
)
def test_no_findings(texts, inside):
    assert same_site.findings([visited(PAGE, *texts)], [Direct(PAGE, "web", answer(one)) for one in inside]) == []
