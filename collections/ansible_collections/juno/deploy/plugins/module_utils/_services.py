# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other services of the project: what the app needs is started before it. Private to juno.deploy."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils import _compose, _docker, _work


def start_others(work: _work.Work) -> None:
    """Start the services that the app leans on, as far as they don't run as they must."""
    bring_up_to_date(work, _compose.leans_on(work.config, work.app.services))


def bring_up_to_date(work: _work.Work, names: list[str]) -> None:
    """Start services anew whose containers don't run, or are of another configuration or build."""
    wanted = _compose.parse_hashes(
        work.run(work.compose("config", "--hash", "*"), cwd=work.app.path)
        .require("docker compose can't read its files ({cause}).")
        .stdout
    )
    there = [one for one in _docker.find(work.client, work.app.project) if one.state == "running"]
    # The hash does not tell of an image that was built anew under its old name.
    used = {name: image for name, (image, _release) in _compose.release_images(work.config, "").items()}
    built = {name: _docker.image_id(work.client, used[name]) for name in names if name in used}
    current = {
        one.service
        for one in there
        if one.config_hash == wanted.get(one.service) and one.image_id == (built.get(one.service) or one.image_id)
    }
    late = [name for name in names if name not in current]
    if late:
        work.do(
            work.compose("up", "--detach", "--no-build", *late),
            f"docker compose could not start {', '.join(late)} ({{cause}}).",
        )
