# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do on the droplet what the guide says, while an old worker is rendering a page; print the edition that it has then.

guide.py SITE MEMCACHED    flush, HUP to gunicorn, flush right after
"""

import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

site, memcached = sys.argv[1:]
page = site + "/slow/?seconds=5&visit=guide"


def ask() -> str:
    with urllib.request.urlopen(page, timeout=60) as answer:  # noqa: S310 - the test's own site
        found = re.search(r"Edition (\d+)", answer.read().decode())
    return found[1] if found else ""


def flush() -> None:
    with socket.create_connection((memcached, 11211), 5) as link:
        link.sendall(b"flush_all\r\n")
        if link.recv(64) != b"OK\r\n":
            raise SystemExit("memcached did not flush")


# Workers have read the templates that are to be old.
ask()
flush()
visitor = threading.Thread(target=ask)
visitor.start()
time.sleep(1)
subprocess.run(["pkill", "-HUP", "--oldest", "--exact", "gunicorn"], check=True)
time.sleep(1)
flush()
visitor.join()
sys.stdout.write(ask())
