"""The client for a program: one device over standard input and output.

    WARDLINE_PROTO=wardline.proto python -m wardline_foreign DIRECTORY
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from .agent import Agent, refuse
from .errors import Failure


def _print(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


async def _main(directory: Path) -> None:
    lines = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await Agent(directory, _print).serve(lines)


if __name__ == "__main__":
    try:
        asyncio.run(_main(Path(sys.argv[1])))
    except Failure as failure:
        refuse(failure, _print)
        sys.exit(1)
