# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests by https to this machine, and what is said of a certificate that visitors' browsers would refuse."""

from __future__ import annotations

import re
import socket

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import http as base_http
from ansible_collections.juno.deploy.plugins.module_utils._base.site import parse_site
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import tls_site

#: The fixture.
certificate = tls_site.certificate


def addresses_of(site):
    return base_http.resolve(site.hostname, site.port, 5)


def test_the_status_by_https_is_there_whatever_the_certificate(certificate):
    with tls_site.serving(certificate) as site:
        site.answer = lambda _path, _host: (404, "", b"")
        assert base_http.status("127.0.0.1", site.port, "/a/", {"Host": "shop.example.org"}, 5, "https") == 404
        ((path, headers),) = site.asked
    assert (path, headers["Host"]) == ("/a/", "shop.example.org")
    # A front proxy of many sites chooses by the name in the handshake.
    assert site.names == ["shop.example.org"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_without_a_name_the_address_is_asked(certificate, host):
    with tls_site.serving(certificate) as site:
        assert base_http.status(host, site.port, "/", {}, 5, "https") == 200
    assert site.names == [None if host == "127.0.0.1" else host]


@pytest.mark.parametrize("speaks_tls", [False, True])
def test_the_other_protocol_is_no_status(certificate, speaks_tls):
    with tls_site.serving(certificate if speaks_tls else "") as site:
        assert base_http.status("127.0.0.1", site.port, "/", {}, 2, "http" if speaks_tls else "https") == 0
        assert base_http.status("127.0.0.1", site.port, "/", {}, 2, "https" if speaks_tls else "http") == 200


@pytest.mark.parametrize(
    ("host", "trusted", "fault"),
    [
        (tls_site.NAME, False, "self.signed certificate"),
        (None, False, "self.signed certificate"),
        (tls_site.NAME, True, ""),
        (f"{tls_site.NAME}:8443", True, ""),
        ("shop.example.org", True, "Hostname mismatch, certificate is not valid for 'shop.example.org'.*"),
        (None, True, "IP address mismatch, certificate is not valid for '127.0.0.1'.*"),
    ],
)
def test_what_a_browser_would_say_of_the_certificate(certificate, monkeypatch, host, trusted, fault):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
    with tls_site.serving(certificate) as site:
        at = parse_site(site.base_url, host=host, timeout_seconds=5)
        assert re.fullmatch(fault, base_http.certificate_fault(at, addresses_of(at)))
    # The handshake was enough.
    assert site.asked == []


def test_what_is_no_fault_of_a_certificate(certificate):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"https://127.0.0.1:{gone.getsockname()[1]}"
    nobody = parse_site(url, timeout_seconds=2)
    assert base_http.certificate_fault(nobody, addresses_of(nobody)) == ""
    with tls_site.serving() as plain:
        at = parse_site(plain.base_url.replace("http:", "https:"), timeout_seconds=2)
        assert base_http.certificate_fault(at, addresses_of(at)) == ""
    with tls_site.serving(certificate) as site:
        at = parse_site(site.base_url, timeout_seconds=5, validate_certs=False)
        assert base_http.certificate_fault(at, addresses_of(at)) == ""


@pytest.mark.parametrize(("validate", "status"), [(True, 0), (False, 200)])
def test_a_page_of_a_site_whose_certificate_is_refused(certificate, validate, status):
    with tls_site.serving(certificate) as site:
        at = parse_site(site.base_url, timeout_seconds=5, validate_certs=validate)
        answer = base_http.fetch(at, addresses_of(at), "/")
    assert answer.status == status
    assert bool(re.match("its certificate was refused: self.signed certificate", answer.failure)) is validate
    assert not answer.transient
