# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site that answers as it is told, and a clock that goes on as it is told."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer, parse_site

SITE = parse_site("http://127.0.0.1:8001")
HTML = {"content-type": "text/html; charset=utf-8"}
NEW = Answer("/", 200, HTML, b"<h1>Edition 2</h1>")
OLD = Answer("/", 200, HTML, b"<h1>Edition 1</h1>")
REFUSED = Answer("/", failure="connection refused", transient=True)


class Script:
    """A server that gives prepared answers per path, the last one again and again."""

    def __init__(self, **answers):
        self.answers = {"/" + name.replace("_", "/"): list(some) for name, some in answers.items()}
        self.asked = []

    def __call__(self, path):
        self.asked.append(path)
        some = self.answers.get(path, [Answer(path, 404, HTML, b"nothing here")])
        return some.pop(0) if len(some) > 1 else some[0]


class Clock:
    """A clock that goes on only when somebody pauses."""

    def __init__(self):
        self.now = 100.0
        self.pauses = []

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds
