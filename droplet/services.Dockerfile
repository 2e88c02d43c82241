# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# What larger sites have beside Django: PostgreSQL, nginx, Caddy, Redis, uWSGI, a registry, and an environment with drivers, Celery,
# servers.
FROM juno-python:trixie
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
        postgresql postgresql-client nginx-light caddy redis-server docker-registry sqlite3 uwsgi-core uwsgi-plugin-python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
RUN python3 -m venv /venv \
    && /venv/bin/pip install --quiet --no-cache-dir "Django>=5.2,<5.3" gunicorn uvicorn whitenoise pymemcache \
        "psycopg[binary]" celery redis daphne hypercorn granian websockets gevent
COPY postgres.sh /usr/local/bin/postgres.sh
ENV PATH=/venv/bin:$PATH
