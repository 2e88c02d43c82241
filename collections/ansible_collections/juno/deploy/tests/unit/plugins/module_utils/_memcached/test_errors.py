# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes and cures."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._memcached import errors
from ansible_collections.juno.deploy.plugins.module_utils._memcached.errors import explain
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options, Server
from pymemcache import exceptions

HOST = Server("10.0.0.5")
PLAIN = Options(timeout_seconds=1.5)
TLS = Options(tls_context=ssl.create_default_context())


def verification(message):
    exc = ssl.SSLCertVerificationError(1, "certificate verify failed")
    exc.verify_message = message
    return exc


@pytest.mark.parametrize(
    ("exc", "options", "kind", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), PLAIN, "name", "(Name or service not known): correct it"),
        (UnicodeError("label empty or too long"), PLAIN, "name", "can't be resolved"),
        (ConnectionRefusedError(111, "Connection refused"), PLAIN, "refused", "start memcached, or correct the port"),
        (FileNotFoundError(2, "No such file"), PLAIN, "refused", "There is no socket 10.0.0.5:11211"),
        (PermissionError(13, "Permission denied"), PLAIN, "refused", "become a user who may"),
        (TimeoutError("timed out"), PLAIN, "silent", "gave no answer within 1.5 s"),
        (ConnectionResetError(104, "reset"), PLAIN, "closed", "set tls=true"),
        (exceptions.MemcacheUnexpectedCloseError(), TLS, "closed", "tls_cert_file"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), PLAIN, "unreachable", "(No route to host)"),
        (verification("self-signed"), TLS, "tls", "isn't trusted (self-signed): set tls_ca_file"),
        (verification("Hostname mismatch, certificate is not valid"), TLS, "tls", "set tls_check_hostname=false"),
        (ssl.SSLError(1, "[SSL] unknown"), TLS, "tls", "set tls_cert_file and tls_key_file"),
        (exceptions.MemcacheClientError(b"unauthenticated"), PLAIN, "auth", "set 'username' and 'password'"),
        (exceptions.MemcacheClientError(b"flush_all not allowed"), PLAIN, "flush_disabled", "restart it without -F"),
        (exceptions.MemcacheServerError(b"out of memory"), PLAIN, "error", "with an error (out of memory)"),
        (exceptions.MemcacheUnknownError(b"HTTP/1.1 400"), PLAIN, "error", "HTTP/1.1 400"),
        (exceptions.MemcacheUnknownCommandError(), PLAIN, "error", "MemcacheUnknownCommandError"),
    ],
)  # fmt: skip
def test_explain(exc, options, kind, words):
    found = explain(HOST, options, exc)
    assert found.kind == kind
    assert "10.0.0.5:11211" in found.message
    assert words in found.message
    assert found.message.endswith(".")


def test_a_handshake_that_times_out_is_silence():
    assert explain(HOST, TLS, TimeoutError("_ssl.c:989: The handshake operation timed out")).kind == "silent"


def test_require_pymemcache(monkeypatch):
    errors.require_pymemcache()
    monkeypatch.setattr(errors, "PYMEMCACHE_ERROR", "No module named 'pymemcache'")
    with pytest.raises(JunoError, match="install the package python3-pymemcache"):
        errors.require_pymemcache()
