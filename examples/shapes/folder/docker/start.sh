#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
exec gunicorn shop.wsgi:application --bind 0.0.0.0:8000 --workers 2
