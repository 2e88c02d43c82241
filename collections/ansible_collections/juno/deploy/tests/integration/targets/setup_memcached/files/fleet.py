# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop memcached servers on free ports of 127.0.0.1, and store and read items.

fleet.py start FOLDER SPECS   SPECS: {"name": ["-F", ...], ...}; null is a server that never answers, false none at all.
                              {folder} in an argument is replaced. Prints {"name": "address", ...}.
fleet.py stop FOLDER
fleet.py set|get ADDRESSES KEY...  with commas between them; get prints the keys that any of them has.
fleet.py old ADDRESSES        prints how many of the items old0 to old2999 any of them has.
fleet.py age ADDRESSES        stores those and lets them age.
fleet.py naive ADDRESS        does so too, reads some, flushes, and prints how many are readable nevertheless.
fleet.py traffic ADDRESS FILE reads those, one at a time, and writes others while the file is there, 30 s at most.
fleet.py fill ADDRESS         stores until the memory is full.
fleet.py hostile ADDRESS      stores keys of all kinds, and prints how many.
fleet.py left ADDRESS         prints which of those are there, by kind.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def listen_silently() -> tuple[str, int]:
    """Give the address and process id of a listener whose queue takes connections that nobody serves."""
    sock = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        signal.pause()
        os._exit(0)
    return f"127.0.0.1:{sock.getsockname()[1]}", child


def launch(folder: pathlib.Path, name: str, arguments: list[str]) -> tuple[str, int]:
    arguments = [one.replace("{folder}", str(folder)) for one in arguments]
    if "-s" in arguments:
        address = arguments[arguments.index("-s") + 1]
    else:
        port = free_port()
        address = f"127.0.0.1:{port}"
        arguments = ["-l", "127.0.0.1", "-p", str(port), *arguments]
    log = (folder / f"{name}.log").open("wb")
    argv = ["memcached", "-u", "root", *arguments]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    wait_for(address, process)
    return address, process.pid


def dial(address: str) -> socket.socket:
    if address.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(1)
        sock.connect(address)
        return sock
    host, _colon, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), 1)


def wait_for(address: str, process: subprocess.Popen[bytes] | None = None) -> None:
    ends = time.monotonic() + 10
    while True:
        try:
            dial(address).close()
        except OSError:
            if time.monotonic() > ends or (process and process.poll() is not None):
                raise
            time.sleep(0.02)
        else:
            return


def start(folder: str, specs: str) -> None:
    home = pathlib.Path(folder)
    addresses: dict[str, str] = {}
    pids: list[int] = []
    try:
        for name, arguments in json.loads(specs).items():
            if arguments is False:
                addresses[name] = f"127.0.0.1:{free_port()}"
                continue
            addresses[name], pid = listen_silently() if arguments is None else launch(home, name, arguments)
            pids.append(pid)
    finally:
        (home / "pids.json").write_text(json.dumps(pids))
    say(json.dumps(addresses))


def stop(folder: str) -> None:
    for pid in json.loads((pathlib.Path(folder) / "pids.json").read_text()):
        # Only this run's processes are in the file; one that ended by itself is no fault.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def client(address: str):
    from pymemcache.client.base import Client

    wait_for(address)
    return Client(address, connect_timeout=5, timeout=5, default_noreply=False, allow_unicode_keys=True)


OLD = [f"old{number}" for number in range(3000)]


def age(addresses: str) -> None:
    for address in addresses.split(","):
        client(address).set_many(dict.fromkeys(OLD, b"x" * 50))
    time.sleep(2.2)


def readable(addresses: str, keys: Sequence[str]) -> list[str]:
    return sorted({key for address in addresses.split(",") for key in client(address).get_many(keys)})


def read_twice(memcached, keys: list[str]) -> None:
    """An item's second read gives it the present time, but leaves its place in the queue that a flush walks."""
    for _again in range(2):
        memcached.get_many(keys)


def naive(address: str) -> None:
    memcached = client(address)
    left = 0
    # The second may change between the reads and the flush; not five times in a row.
    for _try in range(5):
        age(address)
        read_twice(memcached, OLD[::7])
        memcached.flush_all()
        left = left or len(memcached.get_many(OLD))
        if left:
            break
    say(left)


def traffic(address: str, file: str) -> None:
    wanted = pathlib.Path(file)
    wanted.touch()
    ends = time.monotonic() + 30

    def read() -> None:
        memcached = client(address)
        # What survives was read within the server's present second (so no pause to speak of), and lies neither at the
        # head of its queue, where the flush begins, nor at its tail, from where a second read moves it to the head.
        for key in (key for part in range(300) for key in OLD[part::300]):
            read_twice(memcached, [key])
            time.sleep(0.005)
            if not wanted.exists():
                return

    def write() -> None:
        memcached = client(address)
        while wanted.exists() and time.monotonic() < ends:
            memcached.set_many({f"new{number}": b"x" for number in range(200)})

    for work in (read, write):
        threading.Thread(target=work).start()


def fill(address: str) -> None:
    from pymemcache.exceptions import MemcacheServerError

    memcached = client(address)
    # Items as large as the marker of a flush, which is then the one that finds no place.
    try:
        for number in range(0, 100_000, 500):
            memcached.set_many({f"{one:051}": b"1" for one in range(number, number + 500)})
    except MemcacheServerError:
        say("full")


#: Every byte, what reads like a command, what is as long as can be, and what needs care in a list of keys.
HOSTILE = {
    "bytes": [b"mine:1:byte" + bytes([byte]) for byte in range(256)],
    "commands": [
        b"mine:1:x\r\nflush_all\r\n",
        b"mine:1:x noreply\r\nset theirs:1:y 0 0 0\r\n\r\n",
        b"mine:1:\r\nEND\r\n",
    ],
    "long": [b"mine:1:" + b"l" * 243, b"mine:1:" + b"%" * 243, b"mine:1:" + b" " * 170],
    "odd": [b"mine:1:%3A%25", b"mine:1:key=theirs:1:a exp=0 la=0 cas=1 ", "mine:1:ünïcödé".encode(), b"mine:1:"],
    "theirs": [b"theirs:1:a", b"mine:10:a", b"xmine:1:a", b"MINE:1:a", b"mine:1", b"theirs:1: mine:1:a"],
    "sessions": [b"mine:1:django.contrib.sessions.cacheabc", b"theirs:1:django.contrib.sessions.cacheabc"],
    "pages": [b"mine:1:views.decorators.cache.cache_page..GET.a.b.en-us.UTC", b"mine:1:template.cache.side.b"],
}


def ask(sock: socket.socket, command: bytes, ends: bytes) -> bytes:
    sock.sendall(command)
    answer = b""
    while not answer.endswith(ends):
        part = sock.recv(65536)
        if not part:
            raise ConnectionError(answer)
        answer += part
    return answer


def meta(key: bytes) -> tuple[bytes, bytes]:
    """Give a key as the meta protocol takes it, with its flag: as it is, or where that can't be, as base64."""
    plain = all(33 <= byte != 127 for byte in key)
    return (key, b"") if plain else (base64.b64encode(key), b" b")


def hostile(address: str) -> None:
    with dial(address) as sock:
        for key in (key for keys in HOSTILE.values() for key in keys):
            name, flag = meta(key)
            answer = ask(sock, b"ms " + name + b" 1" + flag + b"\r\nx\r\n", b"\r\n")
            if not answer.startswith(b"HD"):
                raise ValueError(key, answer)
    say(json.dumps({kind: len(keys) for kind, keys in HOSTILE.items()}))


def left(address: str) -> None:
    found = {}
    with dial(address) as sock:
        for kind, keys in HOSTILE.items():
            answers = [ask(sock, b"mg " + b"".join(meta(key)) + b"\r\n", b"\r\n") for key in keys]
            found[kind] = sum(answer.startswith(b"HD") for answer in answers)
    say(json.dumps(found))


def main(action: str, where: str, *rest: str) -> None:
    if action in ("start", "stop", "age", "naive", "fill", "traffic", "hostile", "left"):
        globals()[action](where, *rest)
    elif action == "set":
        for address in where.split(","):
            client(address).set_many(dict.fromkeys(rest, b"1"))
    elif action == "get":
        say(json.dumps(readable(where, rest)))
    elif action == "old":
        say(len(readable(where, OLD)))


if __name__ == "__main__":
    main(*sys.argv[1:])
