# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose projects that tests have in common."""

from __future__ import annotations

COMMIT = "1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112"
# Printed by Compose 2.26.1 for a site of the usual shape.
CONFIG = {
    "name": "junojobs",
    "services": {
        "memcached": {"command": ["memcached", "-m", "64"], "image": "memcached:1.6", "networks": {"default": None}},
        "web": {
            "build": {"context": "/root/JunoJobs", "dockerfile": "Dockerfile"},
            "command": [
                "/bin/sh",
                "-c",
                "python manage.py migrate && python manage.py collectstatic --noinput && gunicorn",
            ],
            "entrypoint": None,
            "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            "volumes": [
                {"type": "bind", "source": "/root/JunoJobs", "target": "/code", "bind": {"create_host_path": True}},
                {"type": "volume", "source": "static_volume", "target": "/code/staticfiles", "volume": {}},
            ],
        },
    },
}
