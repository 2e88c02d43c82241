#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time the deletion of chosen keys from a memcached with a million of them, and what its other clients feel meanwhile.

Two servers: the memcached on this machine's path, and, where there is a Docker Engine with the image of the demo, the
newer one in that. Half of the keys begin with the prefix that is deleted, then all match.

- chosen: the core of memcached_flush with prefix or match, in its own process, from the first byte to the verified end
- single: the same keys, one delete after the other, as a client library does it, from a sample
- others: the time that a get of another client takes, at rest and during the deletion, as percentiles
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Server

IMAGE = "juno-python:trixie"
SAMPLE = 5000
PAUSE_SECONDS = 0.002

Figures = dict[str, t.Any]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here, for example bench/results/memcached.json")
    return parser.parse_args()


@contextlib.contextmanager
def on_this_machine() -> t.Iterator[Server]:
    """Run the memcached that is on the path."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    argv = ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-m", "1024"]
    with subprocess.Popen(argv) as process:
        try:
            wait_for("127.0.0.1", port)
            yield Server("127.0.0.1", port)
        finally:
            process.terminate()


@contextlib.contextmanager
def in_a_container() -> t.Iterator[Server]:
    """Run the memcached of the demo's image."""
    name = f"juno-bench-{os.getpid()}"
    run = ["docker", "run", "--detach", "--rm", "--name", name, "--entrypoint", "/usr/bin/memcached", IMAGE]
    subprocess.run([*run, "-u", "nobody", "-m", "1024"], check=True, capture_output=True)
    try:
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        result = subprocess.run(
            ["docker", "inspect", "--format", form, name], check=True, capture_output=True, text=True
        )
        wait_for(result.stdout.strip(), 11211)
        yield Server(result.stdout.strip(), 11211)
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)


def wait_for(host: str, port: int) -> None:
    """Wait until somebody listens."""
    ends = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
            return
        if time.monotonic() > ends:
            sys.exit(f"Nobody listens at {host}:{port}.")
        threading.Event().wait(0.05)


def key(number: int) -> bytes:
    """Return a key as Django's page cache makes them, one of two apps."""
    app = b"mine" if number % 2 else b"other"
    return b"%s:1:views.decorators.cache.cache_page..GET.%032d.%032d.en-us.UTC" % (app, number, number)


def talk(server: Server, text: bytes, ends: bytes) -> bytes:
    """Send something to the server, and return its answer."""
    with socket.create_connection((server.host, server.port)) as link:
        link.sendall(text)
        answer = b""
        while not answer.endswith(ends):
            answer += link.recv(1 << 20)
        return answer


def fill(server: Server, keys: int) -> None:
    """Store all keys."""
    for first in range(0, keys, 20_000):
        numbers = range(first, min(first + 20_000, keys))
        text = b"".join(b"set %s 0 0 5 noreply\r\nhello\r\n" % key(number) for number in numbers)
        talk(server, text + b"version\r\n", b"\r\n")


class Visitor:
    """Another client of the server, that gets a key again and again."""

    def __init__(self, server: Server) -> None:
        self.server, self.seconds, self.stopped = server, list[float](), threading.Event()

    def work(self) -> None:
        with socket.create_connection((self.server.host, self.server.port)) as link:
            while not self.stopped.wait(PAUSE_SECONDS):
                began = time.perf_counter()
                link.sendall(b"get %s\r\n" % key(2))
                answer = b""
                while not answer.endswith(b"END\r\n"):
                    answer += link.recv(4096)
                self.seconds.append(time.perf_counter() - began)

    def during(self, work: t.Callable[[], t.Any]) -> t.Any:
        """Visit while something is done; return that."""
        thread = threading.Thread(target=self.work)
        thread.start()
        try:
            return work()
        finally:
            self.stopped.set()
            thread.join()

    def figures(self) -> Figures:
        found = sorted(self.seconds)
        return {
            "gets": len(found),
            "p50_ms": round(found[len(found) // 2] * 1000, 3),
            "p99_ms": round(found[int(len(found) * 0.99)] * 1000, 3),
            "slowest_ms": round(found[-1] * 1000, 3),
        }


#: What the deletion runs as: a process of its own, so that its memory is its own.
CHILD = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from ansible_collections.juno.deploy.plugins.module_utils._memcached import delete as it
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options, Server
selection = it.Selection(**{name: tuple(value) for name, value in json.loads(sys.argv[4]).items()})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
(end,) = it.delete_selected([(Server(sys.argv[2], int(sys.argv[3])), selection)], Options())
seconds = time.perf_counter() - began
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"seconds": seconds, "grown_kb": grown, "deleted": end.deleted, "status": end.status,
                  "verified": end.verified, "others": end.others, "version": end.version}))
"""


def delete(server: Server, **selection: list[str]) -> Figures:
    """Delete what is chosen, in a process of its own."""
    argv = [
        sys.executable,
        "-c",
        CHILD,
        str(ROOT / "collections"),
        server.host,
        str(server.port),
        json.dumps(selection),
    ]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return t.cast("Figures", json.loads(done.stdout))


def single_seconds(server: Server, keys: int) -> float:
    """Return how long as many deletes would take one after the other, from a sample."""
    with socket.create_connection((server.host, server.port)) as link:
        began = time.perf_counter()
        for number in range(SAMPLE):
            link.sendall(b"delete %s\r\n" % key(number))
            link.recv(64)
        return (time.perf_counter() - began) * keys / SAMPLE


def measure(server: Server, keys: int, runs: int) -> Figures:
    """Measure one server."""
    half, whole, rest, meanwhile = [], [], [], []
    for _run in range(runs):
        fill(server, keys)
        still = Visitor(server)
        still.during(lambda: threading.Event().wait(2))
        rest.append(still.figures())
        visitor = Visitor(server)
        half.append(visitor.during(lambda: delete(server, prefixes=["mine:1:"], keep=["sessions"])))
        meanwhile.append(visitor.figures())
        fill(server, keys)
        whole.append(delete(server, match=["pages"]))
    for one, expected in [*((one, keys // 2) for one in half), *((one, keys) for one in whole)]:
        if one["status"] != "deleted" or not one["verified"] or one["deleted"] != expected:
            sys.exit(f"{one} is not what was to be deleted ({expected}): these figures mean nothing.")
    fill(server, SAMPLE)
    middle = {
        name: statistics.median(one["seconds"] for one in runs_) for name, runs_ in (("half", half), ("all", whole))
    }
    return {
        "version": half[0]["version"],
        "seconds": {name: round(value, 2) for name, value in middle.items()},
        "grown_kb": max(one["grown_kb"] for one in [*half, *whole]),
        "ratio_to_single_deletes": round(middle["half"] / single_seconds(server, keys // 2), 3),
        "others_at_rest": rest,
        "others_meanwhile": meanwhile,
    }


def main() -> int:
    """Measure, print and keep."""
    arguments = parse_arguments()
    servers = {}
    for name, place in (("this machine's", on_this_machine), ("the demo's", in_a_container)):
        if (
            place is in_a_container
            and subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode
        ):
            print(f"No image {IMAGE} here, so the newer memcached is not measured (make demo makes it).")
            continue
        with place() as server:
            servers[name] = measure(server, arguments.keys, arguments.runs)
    result = {
        "keys": arguments.keys,
        "runs": arguments.runs,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
        "servers": servers,
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
