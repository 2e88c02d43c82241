# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a droplet: what comes through the proxy, as JSON."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import pathlib
import socket
import threading

ASKED = 40
KILLED = pathlib.Path("/root/demo_site/killed.log")
#: As many as the site has workers, twice; a byte in each second until the page was answered, or for so long.
SLOW, SLOW_SECONDS = 6, 60


def greeting() -> list[str]:
    """Talk to the server that isn't HTTP, as a client of mail does: it listens first."""
    with socket.create_connection(("127.0.0.1", 2525), 5) as link, link.makefile("rwb") as lines:
        said = [lines.readline().decode().strip()]
        lines.write(b"hello\r\n")
        lines.flush()
        return [*said, lines.readline().decode().strip()]


def ask(path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Ask the site for a page."""
    connection = http.client.HTTPConnection("127.0.0.1", 8001, timeout=60)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def others() -> int:
    """Count the answers that came from the other site, or were none."""
    answers = [ask(f"/?asked={number}") for number in range(ASKED)]
    return sum(status != 200 or b"Start Your Job Search" not in body for status, body in answers)


def killed() -> int:
    """Ask for a page that kills its worker; count how often that was done."""
    KILLED.unlink(missing_ok=True)
    ask("/requests/kill")
    return len(KILLED.read_text(encoding="utf-8").splitlines())


def slowly(answered: threading.Event) -> bool:
    """Send a body byte by byte until the page was answered; return whether it was before all of the body was sent."""
    with socket.create_connection(("127.0.0.1", 8001), 5) as link:
        link.sendall(b"POST /requests/upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
        link.sendall(b"Content-Length: %d\r\n\r\n" % SLOW_SECONDS)
        left = SLOW_SECONDS
        while left and not answered.wait(1):
            link.sendall(b"x")
            left -= 1
        link.sendall(b"x" * left)
        link.settimeout(30)
        while link.recv(4096):
            pass
    return left > 0


def beside_slow() -> bool:
    """Return whether a page is answered while clients that are slow send more bodies than there are workers."""
    answered = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(SLOW) as pool:
        sending = [pool.submit(slowly, answered) for _number in range(SLOW)]
        answered.wait(2)  # all have begun by then
        status, _body = ask("/?beside=slow")
        answered.set()
        return status == 200 and all(one.result() for one in sending)


print(  # noqa: T201
    json.dumps(
        {
            "greeting": greeting(),
            "others": others(),
            "killed": killed(),
            "beside_slow": beside_slow(),
        }
    )
)
