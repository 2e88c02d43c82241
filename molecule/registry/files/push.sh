#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Build and push an image as a machine elsewhere does: on this one its name means afterwards what it meant before.
set -eu
name=$1 folder=$2
before=$(docker image inspect --format '{{.Id}}' "$name" 2>/dev/null || true)
docker build --quiet --tag "$name" "$folder"
docker push --quiet "$name"
docker image rm "$name"
[ -z "$before" ] || docker tag "$before" "$name"
