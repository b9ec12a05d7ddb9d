"""A brake that never holds and one that always does, for tests of payments alone."""

from __future__ import annotations

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kit.chain.anvil import Anvil

BRAKE = str(to_checksum_address(keccak(text="lockgate test brake")[12:]))
# PUSH0 or PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: `isPaused()` answers false, or true.
_OPEN = bytes.fromhex("5f5f5260205ff3")
_PAUSED = bytes.fromhex("60015f5260205ff3")


def place_brake(anvil: Anvil, *, paused: bool = False) -> None:
    anvil.request("anvil_setCode", BRAKE, "0x" + (_PAUSED if paused else _OPEN).hex())
