# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that look like workers and that no deploy would take for such by itself. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import django_service, image_command

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Facts


def find(facts: Facts) -> dict[str, str]:
    """Return services that are built from the app's directory and run a worker's program, each with that."""
    known = {*facts.app.services, *facts.given.exclude_services, *facts.front.services}
    found = {}
    for name, service in facts.config["services"].items() if facts.app.service else ():
        program = django_service.worker_program(service, facts.app.path)
        if name not in known and program and django_service.sees_manage_py(service, facts.app.path):
            found[name] = f"runs {program}"
    return found


def schedulers(facts: Facts) -> list[str]:
    """Name the workers that start tasks by the clock: of these there must never be two."""
    words = ("beat", "rqscheduler", "scheduler")
    texts = {
        name: " ".join(
            text for text, _where in image_command.of_service(facts.config["services"][name], facts.app.path)
        )
        for name in facts.workers
    }
    return [name for name, text in texts.items() if set(text.replace('"', " ").split()) & set(words)]
