#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Make a certificate of its own for a name: certificate.sh DIRECTORY NAME
set -eu
mkdir -p "$1"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
  -keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
