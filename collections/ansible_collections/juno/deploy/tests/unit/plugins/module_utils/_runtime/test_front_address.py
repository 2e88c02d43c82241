# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where and as whom the site is asked at a front proxy that leads plain HTTP to https, and addresses to names."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._runtime import front_address
from ansible_collections.juno.deploy.plugins.module_utils._runtime.front_address import Address
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import tls_site

#: The fixture.
certificate = tls_site.certificate
HTTP, HTTPS, NAME = "http://127.0.0.1", "https://127.0.0.1", "www.example.org"
PROTO = {"X-Forwarded-Proto": "https"}
#: What redirects of a front proxy say by what it was asked: the address, and the Host header.
TO_HTTPS = {(HTTP, ""): "https://127.0.0.1/a/", (HTTP, NAME): f"https://{NAME}/a/"}
TO_NAME = {(HTTP, ""): f"https://{NAME}/a/"}
IN_STEPS = {
    (HTTP, ""): "https://127.0.0.1/a/",
    (HTTPS, ""): "https://example.org/a/",
    (HTTPS, "example.org"): f"https://{NAME}/a/",
}


def find(redirects, base_urls=(HTTP, HTTPS), headers=None):
    """Return the address that is found, and how often somebody was asked."""
    asked = []

    def ask(base_url, sent, path):
        asked.append(path)
        return redirects.get((base_url, sent.get("Host", "")), "")

    return front_address.find(base_urls, headers or {}, "/a/", ask), asked


@pytest.mark.parametrize(
    ("redirects", "headers", "address"),
    [
        ({}, {}, Address(HTTP, {})),
        ({}, {"Host": NAME, "X-Any": "1"}, Address(HTTP, {"Host": NAME, "X-Any": "1"})),
        # A front proxy without a name sends to the address that was asked.
        (TO_HTTPS, {}, Address(HTTPS, PROTO)),
        (TO_HTTPS, {"Host": NAME}, Address(HTTPS, {"Host": NAME, **PROTO})),
        (TO_NAME, {}, Address(HTTPS, {"Host": NAME, **PROTO})),
        ({(HTTP, ""): f"http://{NAME}/"}, {}, Address(HTTP, {"Host": NAME})),
        (IN_STEPS, {}, Address(HTTPS, {"Host": NAME, **PROTO})),
        # What a person has set stays.
        (
            {(HTTP, "a.example"): f"https://{NAME}/"},
            {"Host": "a.example"},
            Address(HTTPS, {"Host": "a.example", **PROTO}),
        ),
        (TO_NAME, {"X-Forwarded-Proto": "http"}, Address(HTTPS, {"Host": NAME, "X-Forwarded-Proto": "http"})),
        # Within the site, or to where nobody here listens.
        ({(HTTP, ""): "/de/"}, {}, Address(HTTP, {})),
        ({(HTTP, ""): "ftp://127.0.0.1/"}, {}, Address(HTTP, {})),
        ({(HTTP, ""): "https:///a/"}, {}, Address(HTTP, {})),
    ],
)
def test_where_the_site_is_asked(redirects, headers, address):
    given = dict(headers)
    assert find(redirects, headers=headers)[0] == address
    assert headers == given


@pytest.mark.parametrize(
    ("base_urls", "redirects", "address"),
    [
        ([HTTP], TO_HTTPS, Address(HTTP, {})),
        ([HTTPS], {(HTTPS, ""): f"https://{NAME}/a/"}, Address(HTTPS, {"Host": NAME, **PROTO})),
        ([HTTPS], {}, Address(HTTPS, PROTO)),
        (
            ["http://127.0.0.1:8080", "https://127.0.0.1:8443"],
            {("http://127.0.0.1:8080", ""): "https://127.0.0.1:8443/a/"},
            Address("https://127.0.0.1:8443", PROTO),
        ),
        (
            ["http://127.0.0.1:8080", "https://127.0.0.1:8443"],
            {("http://127.0.0.1:8080", ""): f"https://{NAME}:8443/a/"},
            Address("https://127.0.0.1:8443", {"Host": f"{NAME}:8443", **PROTO}),
        ),
    ],
)
def test_only_what_it_publishes_is_asked(base_urls, redirects, address):
    assert find(redirects, base_urls)[0] == address


@pytest.mark.parametrize(
    ("redirects", "times"),
    [
        ({}, 1),
        (TO_NAME, 2),
        ({(HTTP, ""): "http://127.0.0.1/a/"}, 1),
        # In a circle, as a front proxy does that believes no X-Forwarded-Proto.
        ({(HTTP, ""): "https://127.0.0.1/", (HTTPS, ""): "http://127.0.0.1/"}, front_address.REDIRECTS),
    ],
)
def test_nobody_is_asked_for_ever(redirects, times):
    assert find(redirects)[1] == ["/a/"] * times


@pytest.mark.parametrize(
    ("status", "found"),
    [(301, True), (302, True), (303, True), (307, True), (308, True), (200, False), (304, False), (404, False)],
)
def test_a_redirect_is_read(status, found):
    with tls_site.serving() as site:
        site.answer = lambda path, host: (status, f"https://{host}{path}", b"")
        location = front_address.location(site.base_url, {"Host": NAME}, "/a/?b=1")
    assert location == (f"https://{NAME}/a/?b=1" if found else "")
    assert [path for path, _headers in site.asked] == ["/a/?b=1"]


def test_a_redirect_is_read_by_https_whatever_the_certificate(certificate):
    with tls_site.serving(certificate) as site:
        site.answer = lambda path, _host: (308, f"https://{NAME}{path}", b"")
        assert front_address.location(site.base_url, {"Host": "example.org"}, "/") == f"https://{NAME}/"
    assert site.names == ["example.org"]


def test_nobody_redirects_where_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    assert front_address.location(url, {}, "/") == ""
    # What is wrong with these is told by who asks for pages.
    assert front_address.location(url, {"Host": "not a name"}, "/") == ""
    assert front_address.location("127.0.0.1", {}, "/") == ""


def test_from_plain_http_to_the_name_and_without_leaving_this_host(certificate):
    with tls_site.serving(certificate) as safe, tls_site.serving() as plain:
        plain.answer = lambda path, _host: (301, f"https://example.org{path}", b"")
        safe.answer = lambda path, host: (301, f"https://{NAME}{path}", b"") if host != NAME else (200, "", b"")
        found = front_address.find([plain.base_url, safe.base_url], {}, "/")
    assert found == Address(safe.base_url, {"Host": NAME, **PROTO})
    assert (len(plain.asked), [headers["Host"] for _path, headers in safe.asked]) == (1, ["example.org", NAME])
