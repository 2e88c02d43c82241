#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# The deploy that this collection replaces, as its guide tells a person to do it on the droplet. Like the guide's it goes
# on when a command fails: that is a part of what is measured. With "quick" as the second argument, for a change that needs
# no new image, it restarts in place of the rebuild.
cd "$1" || exit 1
clear='from django.core.cache import cache; cache.clear()'
git pull origin main
docker compose exec -T web python -c "$clear"
find . -type d -name __pycache__ -exec rm -rf {} +
find . -name '*.pyc' -delete
docker compose exec -T web python manage.py collectstatic --noinput
if [ "$2" = quick ]; then docker compose restart web; else docker compose up -d --build; fi
sleep 5
docker compose exec -T web python -c "$clear"
