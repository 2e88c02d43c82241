# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites and answers, as data."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import (
    Answer,
    is_loopback,
    parse_site,
    request_target,
)


@pytest.mark.parametrize(
    ("base_url", "host", "hostname", "port", "name"),
    [
        ("http://127.0.0.1:8001", None, "127.0.0.1", 8001, "127.0.0.1:8001"),
        ("http://127.0.0.1:8001/", "www.example.org", "127.0.0.1", 8001, "www.example.org"),
        ("http://[::1]:8001", None, "::1", 8001, "[::1]:8001"),
        ("http://example.org", None, "example.org", 80, "example.org"),
        ("https://example.org", "example.org:8443", "example.org", 443, "example.org:8443"),
    ],
)
def test_parse_site(base_url, host, hostname, port, name):
    site = parse_site(base_url, host=host)
    assert (site.hostname, site.port, site.host) == (hostname, port, name)
    assert not site.base_url.endswith("/")


@pytest.mark.parametrize(
    ("base_url", "host", "says"),
    [
        ("127.0.0.1:8001", None, "base_url '127.0.0.1:8001' has no scheme: write it as http://127.0.0.1:8001."),
        ("", None, "has no scheme"),
        ("ftp://example.org", None, "has the scheme 'ftp'"),
        ("http://", None, "has no plain host"),
        ("http://user:secret@example.org", None, "has no plain host"),
        ("http://example.org:99999", None, "is not a URL"),
        ("http://example.org:web", None, "is not a URL"),
        ("http://[::1", None, "is not a URL"),
        ("http://example.org/about/", None, "has a path"),
        ("http://example.org?x", None, "has a path"),
        ("http://127.0.0.1", "http://example.org", "The host 'http://example.org' is not a host name"),
        ("http://127.0.0.1", "example.org\r\nX: y", "is not a host name"),
        ("http://127.0.0.1", "exämple.org", "write it in ASCII"),
    ],
)
def test_parse_site_refuses(base_url, host, says):
    with pytest.raises(BadInputError) as caught:
        parse_site(base_url, host=host)
    assert says in caught.value.message


def test_a_secret_in_the_url_is_not_taken_for_a_host_header():
    with pytest.raises(BadInputError):
        parse_site("http://user@example.org", host="example.org")


@pytest.mark.parametrize(
    ("hostname", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("203.0.113.5", False),
        ("fd00::1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_an_address_of_this_host_alone(hostname, loopback):
    assert is_loopback(hostname) is loopback


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/"),
        ("/a b/?q=ä&x=1#part", "/a%20b/?q=%C3%A4&x=1"),
        ("/already%20quoted", "/already%20quoted"),
        ("/static/a,b;c@2x.png?v=1.0", "/static/a,b;c@2x.png?v=1.0"),
        ("/line\r\nX-Evil: 1", "/line%0D%0AX-Evil:%201"),
    ],
)
def test_request_target(path, target):
    assert request_target(path) == target


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/html; charset=utf-8", "Müller".encode(), "Müller"),
        ("text/html", "Müller".encode(), "Müller"),
        ("text/html", "Müller".encode("latin-1"), "Müller"),
        ("text/html; charset=iso-8859-15", "5 €".encode("iso-8859-15"), "5 €"),
        ("text/html; charset=utf-8", "Müller".encode("latin-1"), "Müller"),
        ("text/html; charset=no-such-charset", "Müller".encode(), "Müller"),
        ('text/html; charset="utf-16"', "Müller".encode("utf-16"), "Müller"),
        ("", b"\xff\xfe\x00", "ÿþ\x00"),
    ],
)
def test_text(content_type, body, text):
    assert Answer("/", 200, {"content-type": content_type}, body).text == text


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/html", True),
        ("Text/HTML; charset=utf-8", True),
        ("application/xhtml+xml", True),
        ("text/css", False),
        ("", False),
    ],
)
def test_is_html(content_type, expected):
    assert Answer("/", headers={"content-type": content_type}).is_html is expected


@pytest.mark.parametrize(
    ("announced", "body", "expected"),
    [
        (None, b"", False),
        ("0", b"", False),
        ("1", b"", True),
        ("10", b"123456789", True),
        ("10", b"1234567890", False),
        ("100", b"1234567890", True),
        ("-1", b"", False),
        ("ten", b"", False),
    ],
)
def test_is_cut_short(announced, body, expected):
    headers = {} if announced is None else {"content-length": announced}
    assert Answer("/", 200, headers, body).is_cut_short is expected


def test_a_body_that_is_too_large_is_not_called_cut_short():
    assert not Answer("/", 200, {"content-length": "100"}, b"1", too_large=True).is_cut_short
