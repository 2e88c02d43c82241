# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the image of another service is built from, as a digest. Private to juno.deploy."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git
from ansible_collections.juno.deploy.plugins.module_utils._rules import dockerfile as rules_dockerfile

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def build_digest(run: Runner, path: str, commit: str, service: dict[str, t.Any]) -> str:
    """Return a digest of what a service's image is built from at a commit; nothing where git doesn't have it."""
    context, dockerfile = compose_mounts.build_files(service, path)
    if not dockerfile:
        return ""
    recipe = diff.show(run, path, commit, dockerfile)
    named = [f"{context}/{name}".lstrip("/") for name in rules_dockerfile.named_files(recipe)]
    whole = context or "."
    paths = [dockerfile, *([whole] if context or takes_all(recipe) or any("*" in one for one in named) else named)]
    listed = run(git(path, "ls-tree", "-z", commit, "--", *paths))
    if listed.rc or not recipe:
        return ""
    text = json.dumps([service["build"], listed.stdout], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def takes_all(recipe: str) -> bool:
    """Return whether a Dockerfile takes all of its build context."""
    return bool(re.search(r"(?im)^\s*(?:COPY|ADD)\s+(?:--(?!from)\S+\s+)*\[?\s*\"?\.?/?\"?[\s,]", recipe))
