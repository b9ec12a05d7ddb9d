"""A TCP relay in front of a part, so that a test can lose the way to it without losing the part.

Run as `python -I -S relay.py PORT TARGET_PORT DELAY_FILE`, both ports on 127.0.0.1; standard library only.
Killed, it refuses connections; paused, it hangs; DELAY_FILE, when it exists, holds the milliseconds by which
each answer is late.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
CONNECTIONS_WAITING = 1024


def delay(file: Path) -> float:
    """Seconds that the file asks for; none when it is absent or being written."""
    try:
        said = file.read_text().strip()
    except FileNotFoundError:
        return 0.0
    return int(said) / 1000 if said.isdigit() else 0.0


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, late: Path | None) -> None:
    """Copy until either side closes."""
    with suppress(ConnectionError):
        while data := await source.read(CHUNK_BYTES):
            if late is not None:
                await asyncio.sleep(delay(late))
            sink.write(data)
            await sink.drain()
    sink.close()


async def serve(port: int, target_port: int, late: Path) -> None:
    """Relay for ever. Raises OSError when the port is taken."""

    async def connected(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        try:
            target_in, target_out = await asyncio.open_connection(HOST, target_port)
        except OSError:
            client_out.transport.abort()
            return
        await asyncio.gather(_pump(client_in, target_out, None), _pump(target_in, client_out, late))

    server = await asyncio.start_server(connected, HOST, port, backlog=CONNECTIONS_WAITING)
    async with server:
        await server.serve_forever()


def main(words: Sequence[str]) -> int:
    asyncio.run(serve(int(words[0]), int(words[1]), Path(words[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
