# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory entry as lines of YAML with comments. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import json
import re
import textwrap
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._init import settings, words

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Facts

WIDTH = 100
#: Strings that YAML takes as they stand; others are quoted.
_PLAIN = re.compile(r"[A-Za-z/][\w./@+-]*")
_WORDS = frozenset(("y", "n", "yes", "no", "true", "false", "on", "off", "null"))
#: What Ansible would take for a template: what a host tells is data.
_TEMPLATE = re.compile(r"\{[{%#]")
#: Options in messages, and what the entry calls them where that is not the option's own name.
_CALLED = {
    "headers": "host_header",
    "proxy.image": "proxy_image",
    "caches.service": "memcached_service",
}
_OPTIONS = frozenset(
    (
        *("path", "project", "service", "worker_services", "exclude_services", "compose_files", "docker_host"),
        *("state_root", "files", "remote", "branch", "base_url", "settings", "strategy", "update_services"),
        *_CALLED,
    )
)


def lines(facts: Facts, prefix: str) -> list[str]:
    """Return the entry; no line is empty, so that any terminal shows it as it is.

    :param prefix: what the names of variables begin with.
    """
    known = settings.of(facts)
    parts = [
        *comment(
            f"Found in {facts.app.path} by juno.deploy.init. What stands here without '#' differs from the defaults; "
            "all else is as a deploy takes it by itself."
        ),
        *_to_do(facts, prefix),
    ]
    for one in known:
        said = assignment(prefix + one.name, one.value)
        parts += ["#", *comment(one.why), *(comment_out(said) if one.off else said)]
    parts += _part("Found, and nothing to set", words.found(facts), prefix)
    parts += _part("What deploys will do", words.deploys(facts), prefix)
    return [
        *parts,
        *_part("Worth a look, though a deploy works", words.look_at(facts), prefix),
    ]


def _to_do(facts: Facts, prefix: str) -> list[str]:
    if not facts.problems and facts.strategy:
        return ["#", "# Nothing is in the way of a deploy."]
    return _part("To do before a deploy works", facts.problems, prefix)


def _part(title: str, said: Iterable[str], prefix: str) -> list[str]:
    points = [line for one in texts(said, prefix) for line in comment(one, "- ")]
    return ["#", f"# {title}:", *points] if points else []


def comment(text: str, bullet: str = "") -> list[str]:
    """Return a text as lines of comments."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return textwrap.wrap(
        " ".join(plain.split()),
        WIDTH,
        initial_indent=f"# {bullet}",
        subsequent_indent="# " + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def comment_out(said: list[str]) -> list[str]:
    """Return lines of YAML as comments."""
    return [f"# {line}" for line in said]


def texts(said: Iterable[str], prefix: str) -> list[str]:
    """Return messages of modules with the names that the entry has for options."""

    def called(found: re.Match[str]) -> str:
        name, rest = found["name"], found["rest"] or ""
        return f"{prefix}{_CALLED.get(name, name)}{rest}" if name in _OPTIONS else found[0]

    plain = (re.sub(r"[;.]? *[Nn]othing was changed\.?$", ".", one) for one in said)
    return [re.sub(r"'(?P<name>[a-z_.]+)(?P<rest>: [a-z]+)?'", called, one) for one in plain]


def assignment(name: str, value: t.Any) -> list[str]:
    """Return a variable as YAML: a short one in its line, a list of dictionaries over several."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        said = [f"{name}:"]
        for one in value:
            marks = ["  - ", *["    "] * (len(one) - 1)]
            said += [f"{mark}{key}: {scalar(inner)}" for mark, (key, inner) in zip(marks, one.items())]  # noqa: B905
        return said
    return [f"{name}: {scalar(value)}"]


def scalar(value: t.Any) -> str:
    """Return a value as YAML in one line."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return f"!unsafe {quoted}" if _TEMPLATE.search(value) else quoted
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(scalar, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(str(key))}: {scalar(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)
