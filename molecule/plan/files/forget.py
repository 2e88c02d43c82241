# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do what a person may do on the droplet: move the checkout to the branch, and tidy it up, with all old commits."""

import subprocess


def git(*words: str) -> str:
    """Run git in the checkout."""
    return subprocess.run(["git", "-C", "/root/demo_site", *words], check=True, capture_output=True, text=True).stdout


git("fetch", "--quiet", "origin")
git("reset", "--quiet", "--keep", "origin/main")
for name in git("for-each-ref", "--format=%(refname)", "refs/juno/").split():
    git("update-ref", "-d", name)
git("reflog", "expire", "--expire=now", "--all")
git("gc", "--quiet", "--prune=now")
