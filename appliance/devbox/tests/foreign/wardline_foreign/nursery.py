"""Many devices, each a process of its own, without the imports of each: a process that forks itself.

    python -m wardline_foreign.nursery SOCKET

Whoever connects names a directory on the first line, is told the process's number, and speaks as with `__main__` from
then on. Ends with its standard input, and takes the
socket's directory with it. Starts no thread and no loop before it forks.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import sys
from pathlib import Path

from .agent import Agent, refuse
from .errors import Failure


def serve(path: str) -> None:
    """Forks for every connection until nobody holds the other end of standard input."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            # Whoever started this is gone, and leaves its cleaning to us.
            os.unlink(path)
            os.rmdir(os.path.dirname(path))
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            asyncio.run(_device(connection))
            os._exit(0)
        connection.close()


async def _device(connection: socket.socket) -> None:
    lines, out = await asyncio.open_unix_connection(sock=connection, limit=1 << 20)

    def write(line: str) -> None:
        out.write(line.encode())

    directory = (await lines.readline()).decode().rstrip("\n")
    write(f'{{"pid": {os.getpid()}}}\n')
    try:
        await Agent(Path(directory), write).serve(lines)
    except Failure as failure:
        refuse(failure, write)
        await out.drain()


if __name__ == "__main__":
    serve(sys.argv[1])
