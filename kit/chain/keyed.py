"""Transactions of a set-up program by a key from a file, on any network, without a database.

A step is always sent with the first nonce that the chain has not used, so what an earlier run left unmined is the
same step or is replaced by it: no two transactions of a step can both count, and a stopped run loses nothing.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from kit.chain.fees import GWEI, FeePolicy, Fees, quote, raised
from kit.chain.node import ChainError
from kit.chain.rpc import Receipt, Rpc, RpcError, RpcRefused, RpcUnavailable, call_params, hexed
from kit.chain.signer import KeyFileError, LocalSigner, Signer, UnsignedTransaction, read_key_file

POLL_SECONDS = 0.25
RECEIPT_SECONDS = 15.0
GAS_MARGIN_PERCENT = 125
MOST_GAS = 1 << 24
"""Of one transaction (EIP-7825)."""
FOREIGN_NONCES = 3
# What nodes say of bytes that they have, of a fee too low for the nonce, and of a nonce that is used.
_KNOWN = ("already known", "already imported", "known transaction", "alreadyknown", "transaction already")
_TOO_CHEAP = ("underpriced", "fee too low", "max fee per gas less than")
_USED = ("nonce too low",)
_TOO_POOR = ("insufficient funds", "insufficient balance")


class Broadcast(Enum):
    """What a node did with signed bytes."""

    TAKEN = auto()
    TOO_CHEAP = auto()
    NONCE_USED = auto()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how deep a block counts, in blocks."""

    mined_within: float = 600.0
    confirmations: int = 12


def read_private_key(path: Path) -> LocalSigner:
    """A key file that nobody else may read. Raises KeyFileError."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(mode):
        raise KeyFileError(f"the key file {path} is not a regular file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"the key file {path} is open to others (mode {stat.S_IMODE(mode):03o}): chmod 600 it")
    return read_key_file(path)


class KeyCarrier:
    """Signs, sends, replaces at higher fees up to the cap, and waits."""

    tag = "latest"

    def __init__(
        self,
        rpc: Rpc,
        chain_id: int,
        signer: Signer,
        policy: FeePolicy | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._rpc = rpc
        self._chain_id = chain_id
        self._signer = signer
        self._policy = policy or FeePolicy()
        self._patience = patience or Patience()

    def carry(self, what: str, to: str, data: bytes, is_done: Callable[[], bool]) -> None:
        """Send it unless `is_done` by now, and wait until it is mined. Raises ChainError."""
        try:
            for _ in range(FOREIGN_NONCES):
                if is_done():
                    return
                receipt = self._mine(what, bytes.fromhex(to[2:]), data, is_done)
                if receipt is not None and not receipt.succeeded and not is_done():
                    raise ChainError(
                        f"{what} could not be created: transaction {hexed(receipt.tx_hash)} reverted in block "
                        f"{receipt.block_number} ({receipt.gas_used} gas)"
                    )
            if not is_done():
                raise ChainError(
                    f"{what}: nonces of {self._address} are used by other transactions; is its key in use?"
                )
        except RpcError as error:
            raise ChainError(f"{what} could not be created: {error}; run this again to go on") from error

    def await_depth(self, stands_at: Callable[[str], bool]) -> bool:
        """True once all `stands_at` a block `confirmations` below the head; False when it left the chain."""
        deadline = time.monotonic() + self._patience.mined_within
        while True:
            deep = self._head() - self._patience.confirmations
            if deep >= 0 and stands_at(hex(deep)):
                return True
            if not stands_at("latest"):
                return False
            if time.monotonic() > deadline:
                raise ChainError(
                    f"all is created, but not {self._patience.confirmations} blocks deep after "
                    f"{self._patience.mined_within:.0f} s: run this again to wait on"
                )
            time.sleep(POLL_SECONDS)

    @property
    def _address(self) -> str:
        return hexed(self._signer.address)

    def _head(self) -> int:
        try:
            return int(self._rpc.read("eth_blockNumber"), 16)
        except RpcError as error:
            raise ChainError(f"the head is not known: {error}; run this again to go on") from error

    def _mine(self, what: str, to: bytes, data: bytes, is_done: Callable[[], bool]) -> Receipt | None:
        """The receipt of this step; None when the nonce was used by something else."""
        gas = self._gas(what, to, data, is_done)
        if gas is None:
            return None
        nonce = self._rpc.nonce_of(self._signer.address)
        fees = self._first_fees(what)
        self._check_affordable(what, gas, fees)
        sent: list[bytes] = []
        deadline = time.monotonic() + self._patience.mined_within
        while True:
            unsigned = UnsignedTransaction(self._chain_id, nonce, to, 0, data, gas, fees.max_fee, fees.priority_fee)
            signed = self._signer.sign_transaction(unsigned)
            sent.append(signed.tx_hash)
            answer = self._broadcast(what, signed.raw)
            patience = 0.0 if answer is Broadcast.TOO_CHEAP else self._policy.bump_after
            if self._is_used(nonce, min(deadline, time.monotonic() + patience)):
                return self._receipt_of(sent, is_done)
            if time.monotonic() >= deadline:
                raise ChainError(
                    f"{what}: transaction {hexed(signed.tx_hash)} (nonce {nonce}, {fees.max_fee / GWEI:g} gwei) "
                    f"is not mined after {self._patience.mined_within:.0f} s, and may still be. Run this again, with "
                    "a higher --max-fee-gwei if the network is busy: it goes on from here"
                )
            higher = self._higher(fees, gas)
            if higher is None and answer is Broadcast.TOO_CHEAP:
                # Only an earlier run's transaction with a fee near the cap holds the nonce: it is as good as ours.
                self._is_used(nonce, min(deadline, time.monotonic() + self._policy.bump_after))
            fees = higher or fees

    def _gas(self, what: str, to: bytes, data: bytes, is_done: Callable[[], bool]) -> int | None:
        # At the last block, not what waits: an earlier run's transaction may wait to create the same.
        call, latest = call_params(to, data, sender=self._signer.address)
        try:
            estimate = int(self._rpc.read("eth_estimateGas", call, latest), 16)
        except RpcRefused as refused:
            if is_done():
                return None
            raise ChainError(f"{what} could not be created: the node foresees {refused}") from refused
        return max(estimate, min(estimate * GAS_MARGIN_PERCENT // 100, MOST_GAS))

    def _first_fees(self, what: str) -> Fees:
        head = self._rpc.block("latest")
        if head is not None and head.base_fee > self._policy.cap:
            raise ChainError(
                f"{what} is not sent: a gas costs {head.base_fee / GWEI:g} gwei now, above the cap of "
                f"{self._policy.cap / GWEI:g}; run this again later or with a higher --max-fee-gwei"
            )
        return quote(self._rpc, self._policy)

    def _higher(self, fees: Fees, gas: int) -> Fees | None:
        """Fees that may replace these; None when the cap or the balance leaves no room."""
        higher = raised(fees, quote(self._rpc, self._policy), self._policy)
        return higher if higher is not None and gas * higher.max_fee <= self._balance() else None

    def _balance(self) -> int:
        return int(self._rpc.read("eth_getBalance", self._address, "latest"), 16)

    def _check_affordable(self, what: str, gas: int, fees: Fees) -> None:
        balance = self._balance()
        if balance < gas * fees.max_fee:
            raise ChainError(
                f"insufficient funds: {what} may cost {gas * fees.max_fee} wei ({gas} gas at {fees.max_fee}), and "
                f"{self._address} has {balance}; send it more and run this again: what is created stays"
            )

    def _broadcast(self, what: str, raw: bytes) -> Broadcast:
        try:
            self._rpc.submit("eth_sendRawTransaction", hexed(raw))
        except RpcUnavailable:
            return Broadcast.TAKEN  # it may have arrived: only the chain can tell
        except RpcRefused as refused:
            said = refused.message.lower()
            if any(words in said for words in _KNOWN):
                return Broadcast.TAKEN
            if any(words in said for words in _TOO_CHEAP):
                return Broadcast.TOO_CHEAP
            if any(words in said for words in _USED):
                return Broadcast.NONCE_USED
            if any(words in said for words in _TOO_POOR):
                raise ChainError(f"insufficient funds of {self._address}: {refused.message}") from refused
            raise ChainError(f"{what} could not be created: {refused}") from refused
        return Broadcast.TAKEN

    def _is_used(self, nonce: int, until: float) -> bool:
        """Whether the nonce is used in a block, waiting at most until then. A silent node is asked again."""
        while True:
            try:
                if self._rpc.nonce_of(self._signer.address) > nonce:
                    return True
            except RpcUnavailable as error:
                if time.monotonic() >= until:
                    raise ChainError(f"the node stopped answering ({error}): run this again to go on") from error
            if time.monotonic() >= until:
                return False
            time.sleep(POLL_SECONDS)

    def _receipt_of(self, sent: list[bytes], is_done: Callable[[], bool]) -> Receipt | None:
        """A node may know the nonce before the receipt; one that has neither did not mine ours."""
        until = time.monotonic() + RECEIPT_SECONDS
        while True:
            for tx_hash in reversed(sent):
                receipt = self._rpc.receipt(tx_hash)
                if receipt is not None:
                    return receipt
            if is_done() or time.monotonic() >= until:
                return None
            time.sleep(POLL_SECONDS)
