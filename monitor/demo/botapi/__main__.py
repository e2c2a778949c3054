"""`python -m monitor.demo.botapi`: one line of JSON says where it is, SIGTERM or Ctrl+C ends it."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from monitor.demo.botapi.server import Server


def main() -> None:
    read = argparse.ArgumentParser(prog="python -m monitor.demo.botapi", description=__doc__)
    read.add_argument("--port", type=int, default=8081, help="0: any that is free (8081)")
    read.add_argument("--host", default="127.0.0.1", help="where it listens (only loopback)")
    read.add_argument("--data", type=Path, required=True, help="the folder for files and memory")
    read.add_argument("--local", action="store_true", help="as telegram-bot-api --local")
    read.add_argument("--forget", action="store_true", help="remember nothing after the end")
    read.add_argument("--bot", action="append", default=[], metavar="TOKEN", help="a bot there is")
    try:
        asyncio.run(_serve(read.parse_args()))
    except (OSError, ValueError) as error:
        sys.exit(f"botapi: {error}")


async def _serve(given: argparse.Namespace) -> None:
    server = Server(given.data, given.local, not given.forget)
    known = {bot["token"] for bot in server.world.bots}
    for token in given.bot:
        if token not in known:
            server.world.bots.add("vigia_bot", token)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        port = await server.start(given.host, given.port)
        print(json.dumps({"port": port, "url": f"http://{given.host}:{port}/"}), flush=True)
        await ended.wait()
    finally:
        await server.close()


if __name__ == "__main__":
    main()
