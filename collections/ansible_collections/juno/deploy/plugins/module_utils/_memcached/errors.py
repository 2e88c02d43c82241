# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong at a memcached, and what to do about it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import socket
import ssl

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options, Server, ServerError

try:
    from pymemcache.client.base import Client
    from pymemcache.exceptions import (
        MemcacheClientError,
        MemcacheError,
        MemcacheServerError,
        MemcacheUnexpectedCloseError,
    )

    PYMEMCACHE_ERROR = ""
except ImportError as exc:
    PYMEMCACHE_ERROR = str(exc)
    # The modules must load, so that require_pymemcache() can say it.
    Client = MemcacheClientError = MemcacheError = MemcacheServerError = MemcacheUnexpectedCloseError = None

#: pymemcache is imported here only, so that one message says how to get it.
__all__ = [
    "Client",
    "MemcacheClientError",
    "MemcacheError",
    "MemcacheServerError",
    "MemcacheUnexpectedCloseError",
    "explain",
    "flush_disabled",
    "reply_of",
    "require_pymemcache",
]


def require_pymemcache() -> None:
    """Say how to get pymemcache where it is missing."""
    if PYMEMCACHE_ERROR:
        raise JunoError(
            f"The Python library pymemcache is missing on this host ({PYMEMCACHE_ERROR}): install the package "
            "python3-pymemcache, or run the playbook juno.deploy.provision."
        )


def explain(server: Server, options: Options, exc: BaseException) -> ServerError:
    """Turn what a socket, TLS or pymemcache raised into the cause and the cure."""
    name = server.name
    if isinstance(exc, (socket.gaierror, UnicodeError)):
        return ServerError(
            "name", f"The name of {name} can't be resolved ({_words(exc)}): correct it, or give the address."
        )
    if isinstance(exc, ssl.SSLError):
        return ServerError("tls", f"{name} {_tls_cause(exc)}.")
    if isinstance(exc, TimeoutError):
        return ServerError(
            "silent",
            f"{name} gave no answer within {options.timeout_seconds:g} s: see whether memcached hangs there, a "
            "firewall drops the packets, or one side speaks TLS and the other doesn't.",
        )
    if isinstance(exc, FileNotFoundError):
        return ServerError("refused", f"There is no socket {name}: start memcached -s {name}, or correct the path.")
    if isinstance(exc, ConnectionRefusedError):
        return ServerError(
            "refused", f"{name} refused the connection: nothing listens there; start memcached, or correct the port."
        )
    if isinstance(exc, PermissionError):
        return ServerError(
            "refused", f"This user may not use {name} ({_words(exc)}): become a user who may, or see memcached -a."
        )
    if isinstance(exc, (ConnectionError, MemcacheUnexpectedCloseError)):
        return ServerError("closed", f"{name} closed the connection without an answer: {_why_closed(options)}.")
    if isinstance(exc, OSError):
        return ServerError("unreachable", f"{name} can't be reached ({_words(exc)}): correct the address or the route.")
    return _refusal(name, reply_of(exc).decode("utf-8", "replace") or type(exc).__name__)


def _refusal(name: str, reply: str) -> ServerError:
    if "flush_all not allowed" in reply:
        return flush_disabled(name)
    if "unauthenticated" in reply:
        return ServerError("auth", f"{name} asks for a login (memcached -Y): set 'username' and 'password'.")
    return ServerError(
        "error", f"{name} answered with an error ({reply}): see that memcached listens there, and its log."
    )


def flush_disabled(name: str) -> ServerError:
    """Return that a server runs with -F."""
    return ServerError(
        "flush_disabled",
        f"{name} has flushing disabled (memcached -F): restart it without -F, or restart it to empty it.",
    )


def _tls_cause(exc: ssl.SSLError) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        why = exc.verify_message
        if "match" in why:
            return (
                f"shows a certificate for another name ({why}): name the server as its certificate does, or set "
                "tls_check_hostname=false"
            )
        return f"shows a certificate that isn't trusted ({why}): set tls_ca_file to the authority that signed it"
    reason = getattr(exc, "reason", None) or _words(exc)
    if reason in ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE"):
        return f"doesn't speak TLS at this port ({reason}): set tls=false, or name the port of memcached -Z"
    return (
        f"ended the TLS connection ({reason}): set tls_cert_file and tls_key_file if it asks clients for a certificate"
    )


def _why_closed(options: Options) -> str:
    if options.tls_context:
        return (
            "see its log, and whether it asks clients for a certificate (tls_cert_file) or is out of connections (-c)"
        )
    return "see its log, and whether it speaks TLS (set tls=true) or is out of connections (-c)"


def _words(exc: BaseException) -> str:
    return str(getattr(exc, "strerror", None) or exc)


def reply_of(exc: BaseException) -> bytes:
    """Return the server's words in a pymemcache error."""
    words = exc.args[0] if exc.args else b""
    return words if isinstance(words, bytes) else str(words).encode()
