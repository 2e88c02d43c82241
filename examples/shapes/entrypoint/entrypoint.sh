#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
until python manage.py check --database default; do
  echo "The database is not there yet."
  sleep 1
done
python manage.py migrate --noinput
python manage.py collectstatic --noinput
exec "$@"
