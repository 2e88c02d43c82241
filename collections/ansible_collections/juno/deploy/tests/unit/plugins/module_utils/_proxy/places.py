# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's places for containers, as its runtime socket tells them."""

from __future__ import annotations

import re

from ansible_collections.juno.deploy.plugins.module_utils._proxy.runtime import Slot

HEAD = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state \
bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr \
srv_agent_port
""".replace("\\\n", "")


class Proxy:
    """What HAProxy does with states, without HAProxy: places, the commands said to it, and requests at work."""

    def __init__(self, *places: Slot) -> None:
        self.places = {one.path: one for one in places}
        self.said: list[str] = []
        #: Requests at work, one answer of "show stat" after the other; the last one stays.
        self.sessions: list[dict[str, int]] = [{}]
        #: How many of those are streams.
        self.streams: dict[str, int] = {}
        #: Called at each question, to let time pass.
        self.later: list = []

    def __call__(self, command: str) -> str:
        self.said.append(command)
        if command == "show stat":
            now = self.sessions.pop(0) if len(self.sessions) > 1 else self.sessions[0]
            rows = [f"{path.replace('/', ',')},0,{count}" for path, count in now.items()]
            return "\n".join(["# pxname,svname,qcur,scur", *rows])
        if command.startswith("show table "):
            mine = {path: n for path, n in self.streams.items() if path.startswith(command[len("show table ") :] + "/")}
            rows = [f"0x7f: key={path.split('/')[1]} use=2 exp=0 shard=0 conn_cur={n}" for path, n in mine.items()]
            return "\n".join(["# table: app_8000, type: string, size:100, used:1", *rows, ""])
        if command.startswith("shutdown sessions server "):
            return "\n"
        if command == "show servers state":
            if self.later:
                self.later.pop(0)(self)
            return HEAD + "".join(self.row(one) for one in self.places.values())
        found = re.fullmatch(r"set server (\S+) state (ready|drain)", command)
        if not found or found[1] not in self.places:
            return "No such server.\n\n"
        old = self.places[found[1]]
        self.places[found[1]] = Slot(old.backend, old.name, old.address, old.running, found[2] == "drain")
        return "\n"

    @staticmethod
    def row(one: Slot) -> str:
        state = (0 if one.address else 32) + (8 if one.drained else 0)
        up, where = (2 if one.running else 0), one.address or "-"
        return f"6 {one.backend} 1 {one.name} {where} {up} {state} 1 1 4 6 3 5 6 0 0 0 web 8000 - 0 0 - - 0\n"

    def changes(self) -> list[str]:
        return [one for one in self.said if one.startswith("set")]


def place(number: int, address: str = "", *, running: bool = True, drained: bool = False, backend: str = "app_8000"):
    return Slot(backend, f"web{number}", address, bool(address) and running, drained)
