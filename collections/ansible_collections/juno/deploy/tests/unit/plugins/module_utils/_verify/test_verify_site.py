# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate means that visitors' browsers would refuse: where it must be trusted, and elsewhere."""

from __future__ import annotations

import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import tls_site

#: The fixture.
certificate = tls_site.certificate


def verify(site, **more):
    """Return what is found, and what is said beside."""
    said = []
    given = {"pages": [{"path": "/", "status": 200, "contains": ["Jobs"], "excludes": []}]}
    params = {**options.defaults(verify_site.ARGUMENT_SPEC), "base_url": site.base_url, **given, "check_assets": False}
    return verify_site.verify(
        {**params, "compare": False, "sitemap_pages": 0, "log_pages": 0, **more}, said.append
    ), said


@pytest.mark.parametrize(
    ("host", "trusted", "refused"),
    [
        (None, False, "self.signed certificate"),
        (tls_site.NAME, False, "self.signed certificate"),
        (tls_site.NAME, True, ""),
        ("shop.example.org", True, "Hostname mismatch, certificate is not valid for 'shop.example.org'"),
    ],
)
def test_where_it_need_not_be_trusted_it_is_a_finding_and_no_failure(certificate, monkeypatch, host, trusted, refused):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
    with tls_site.serving(certificate) as site:
        result, said = verify(site, host=host, validate_certs=False)
        url = site.base_url
    assert [one["status"] for one in result["pages"]] == [200]
    found = [(one["what"], one["level"]) for one in result["findings"]]
    assert found == ([("certificate", "warning")] if refused else [])
    for one in said:
        assert re.search(f"{re.escape(url)} has a certificate that visitors' browsers refuse: {refused}", one)
    assert len(said) == len(found)


def test_where_it_must_be_trusted_it_is_an_error(certificate):
    with (
        tls_site.serving(certificate) as site,
        pytest.raises(JunoError, match=r"its certificate was refused: self.sig"),
    ):
        verify(site)


def test_pages_that_are_wrong_are_an_error_whatever_the_certificate(certificate):
    with tls_site.serving(certificate) as site:
        site.answer = lambda _path, _host: (500, "", b"")
        with pytest.raises(JunoError, match="answered 500 instead of 200") as failed:
            verify(site, validate_certs=False)
    levels = {one["what"]: one["level"] for one in failed.value.details["findings"]}
    assert levels.pop("certificate") == "warning"
    assert set(levels.values()) == {"error"}


def test_plain_http_has_none():
    with tls_site.serving() as site:
        result, said = verify(site)
    assert (result["findings"], said) == ([], [])
