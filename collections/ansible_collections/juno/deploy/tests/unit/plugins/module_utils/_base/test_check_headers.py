# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers that nobody is shown: which can be sent, who gets them, and what of them is taken out of texts."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, masking
from ansible_collections.juno.deploy.plugins.module_utils._base import http as base_http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import parse_site

from . import test_http

#: checker:s3cret-word
BASIC = "Basic Y2hlY2tlcjpzM2NyZXQtd29yZA=="


@pytest.fixture(autouse=True)
def afterwards(monkeypatch):
    monkeypatch.setattr(masking, "known", masking.Known())
    yield
    check_headers.use({})


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (
            {"Host": "x.example"},
            r"^Host in 'check_headers' has an option of its own: set 'headers' \(Host\) instead\.$",
        ),
        ({"x-forwarded-proto": "https1"}, r"^X-Forwarded-Proto in .*: set 'headers' \(X-Forwarded-Proto\) instead\.$"),
        ({"X-Ok": "abcdef", "Not a name": "abcdef"}, r"^Name 2 in 'check_headers' is no name of a header"),
        ({"": "abcdef"}, r"^Name 1 in 'check_headers' is no name of a header"),
        (
            {"Authorization": BASIC + "\n"},
            r"^The value of Authorization in 'check_headers' has a line break or another",
        ),
        ({"Authorization": "a\r\nX-More: abcdef"}, r"has a line break or another control character: write it in one"),
        ({"X-Token": "abcde"}, r"^The value of X-Token in 'check_headers' has less than 6 characters"),
        ({"X-Token": None}, r"has less than 6 characters"),
        ({"X-Token": 12345}, r"has less than 6 characters"),
        ({"X-Token": "žluťoučký"}, r"^The value of X-Token in 'check_headers' has characters that no header can have"),
        ({"content-length": "100000"}, r"^Content-Length in 'check_headers' is set by what asks for the pages"),
        ({"Accept-Encoding": "gzip, br"}, r"^Accept-Encoding in 'check_headers' is set by what asks for the pages"),
        ({"X-Token": "abcdef", "x-token": "ghijkl"}, r"^'check_headers' has X-Token more than once: leave one\.$"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_its_value(headers, said):
    with pytest.raises(BadInputError, match=said) as caught:
        check_headers.take(headers)
    assert not [one for one in headers.values() if one and str(one) in caught.value.message]
    assert check_headers.added({}) == {}


def test_what_is_sent():
    check_headers.take({"authorization": f" {BASIC} ", "X-API-Key": 123456})
    assert check_headers.added({"Host": "a"}) == {"Host": "a", "Authorization": BASIC, "X-Api-Key": "123456"}


def test_each_form_of_the_secret_is_taken_out_of_texts():
    check_headers.use({"Authorization": BASIC, "X-Token": "t0ken-of-all", "X-Other": "Basic !broken!"})
    for secret in (BASIC, BASIC[6:], "checker:s3cret-word", "s3cret-word", "t0ken-of-all"):
        assert masking.hide(f"got '{secret}'") == f"got '{masking.MASK}'"
    assert masking.hide("a checker") == "a checker"


@pytest.mark.parametrize(
    ("sent", "status", "asked", "hint"),
    [
        ({}, 401, 'Basic realm="x"', "it asks for a login (Basic): set 'check_headers' (Authorization)"),
        ({"X-Token": "abcdef"}, 401, "Bearer", "it asks for a login (Bearer): set 'check_headers' (Authorization)"),
        ({"Authorization": BASIC}, 401, "Basic", "the login in 'check_headers' (Authorization) is refused: correct it"),
        ({}, 401, "", ""),
        ({}, 403, "Basic", ""),
    ],
)
def test_what_to_do_about_a_login_that_is_wanted(sent, status, asked, hint):
    check_headers.use(sent)
    assert check_headers.hint(status, {"www-authenticate": asked} if asked else {}) == hint


def test_each_request_for_a_page_has_them():
    check_headers.use({"Authorization": BASIC})
    with test_http.serving(test_http.head("Content-Length: 0")) as (base_url, asked):
        site = parse_site(base_url, host="shop.example")
        base_http.fetch(site, base_http.resolve(site.hostname, site.port, 5), "/")
    assert f"Authorization: {BASIC}\r\n".encode() in asked
    with test_http.serving(test_http.head("Content-Length: 0")) as (base_url, asked):
        site = parse_site(base_url)
        assert base_http.status(site.hostname, site.port, "/", {"Host": "shop.example"}, 5) == 200
    assert f"Authorization: {BASIC}\r\n".encode() in asked
    assert b"Host: shop.example\r\n" in asked
