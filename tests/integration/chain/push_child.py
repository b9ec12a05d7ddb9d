"""A process of its own that pushes transactions, or dies at a step."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from kit.chain.rpc import Rpc
from kit.chain.sender import Sender
from kit.chain.signer import LocalSigner
from kit.database.pool import open_pool
from tests.integration.chain.parts import CHAIN_ID, account


def main(database_url: str, rpc_url: str, what: str, *words: str) -> None:
    def die(step: str) -> None:
        if what == "die" and step == words[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    sender = Sender(Rpc(rpc_url), CHAIN_ID, {"relay": LocalSigner(account("relay"))}, checkpoint=die)
    wanted = [UUID(word) for word in words[1 if what == "die" else 0 :]]
    with open_pool(database_url, max_size=8) as pool, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: sender.push(pool, one), wanted))


if __name__ == "__main__":
    main(*sys.argv[1:])
