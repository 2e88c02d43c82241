# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: python -m droplet engine|engine-down|images|images-down|packages|up|down|restart|load."""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys

from droplet import droplets, engine, images, packages
from droplet.process import DropletError, say


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m droplet", description="A droplet on this machine, for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("engine", help="see that a Docker Engine answers on this machine")
    commands.add_parser("engine-down", help="stop the Docker Engine, if it was started here")
    build = commands.add_parser("images", help="build the images that are absent or whose recipe has changed")
    build.add_argument("--bare", action="store_true", help="also the droplet without an Engine")
    commands.add_parser("images-down", help="remove the images that were built here")
    install = commands.add_parser("packages", help="install packages of the system that are missing, services down")
    install.add_argument("names", nargs="+")
    start = commands.add_parser("up", help="start a droplet and print how to reach it, as JSON")
    start.add_argument("--ssh-port", type=int, default=0, help="port on 127.0.0.1 for ssh; by default a free one")
    start.add_argument("--http-port", type=int, default=0, help="port on 127.0.0.1 for the site (8001 in the droplet)")
    start.add_argument("--bare", action="store_true", help="without an Engine")
    start.add_argument("--systemd", action="store_true", help="started by systemd, as real ones are")
    stop = commands.add_parser("down", help="remove a droplet")
    again = commands.add_parser("restart", help="stop and start a droplet, as a reboot does")
    load = commands.add_parser("load", help="give a droplet an image that only some tests need")
    for one in (start, stop, again, load):
        one.add_argument("name")
    load.add_argument("image", choices=images.ON_DEMAND)
    for one in (start, stop):
        one.add_argument("--dir", type=pathlib.Path, required=True, help="folder for its keys")
    return parser


def _work(args: argparse.Namespace) -> None:
    if args.command == "engine":
        engine.up()
    elif args.command == "engine-down":
        engine.down()
    elif args.command == "images":
        say(f"Ready: {', '.join(images.up(bare=args.bare))}")
    elif args.command == "images-down":
        images.down()
    elif args.command == "packages":
        packages.ensure(args.names)
    elif args.command == "down":
        droplets.down(args.name, args.dir)
    elif args.command == "restart":
        droplets.restart(args.name)
    elif args.command == "load":
        droplets.load(args.name, images.on_demand(args.image))
    else:
        ports = {"ssh_port": args.ssh_port, "http_port": args.http_port}
        droplet = droplets.up(args.name, args.dir, **ports, bare=args.bare, systemd=args.systemd)
        sys.stdout.write(json.dumps(dataclasses.asdict(droplet)) + "\n")


def main() -> int:
    """Run the command; a failure is one sentence and exit code 1."""
    args = _parser().parse_args()
    try:
        _work(args)
    except DropletError as exc:
        say(f"Error: {exc}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
