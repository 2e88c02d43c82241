# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as many free ports as are asked for, as JSON."""

import contextlib
import json
import socket
import sys

with contextlib.ExitStack() as held:
    sockets = [held.enter_context(socket.socket()) for number in range(int(sys.argv[1]))]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    sys.stdout.write(json.dumps([one.getsockname()[1] for one in sockets]))
