"""A key that sends transactions and tells how each ended, by the contract's own word when it was refused."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from eth_abi.abi import decode

from kit.chain.abi import selector
from kit.chain.rpc import Receipt, Rpc, RpcRefused, hexed
from kit.chain.signer import LocalSigner, UnsignedTransaction

GAS_MOST = 2_000_000
RECEIPT_SECONDS = 30.0
POLL_SECONDS = 0.05
PRIORITY_FEE = 10**9
_ERROR_STRING = selector("Error(string)")


@dataclass(frozen=True, slots=True)
class Ended:
    """A mined transaction; `refusal` is None when it did what it should, else the error's name."""

    receipt: Receipt
    seconds: float
    refusal: str | None

    @property
    def tx_hash(self) -> str:
        return hexed(self.receipt.tx_hash)


class Wallet:
    """One key on one chain. `errors`: names of custom errors by selector."""

    def __init__(self, signer: LocalSigner, rpc: Rpc, chain_id: int, errors: Mapping[bytes, str]) -> None:
        self._signer = signer
        self._rpc = rpc
        self._chain_id = chain_id
        self._errors = errors

    def send(self, to: bytes, data: bytes) -> Ended:
        """Sent in any case, also when a call beforehand says that it will be refused.

        Raises RpcError, TimeoutError, and RuntimeError when chain and call differ.
        """
        refusal = self._refusal_of(to, data)
        started = time.perf_counter()
        receipt = self._mined(self._broadcast(to, data))
        if receipt.succeeded != (refusal is None):
            raise RuntimeError(f"{hexed(receipt.tx_hash)} ended otherwise than foretold ({refusal or 'accepted'})")
        return Ended(receipt, time.perf_counter() - started, refusal)

    def _refusal_of(self, to: bytes, data: bytes) -> str | None:
        try:
            self._rpc.call(to, data, sender=self._signer.address)
        except RpcRefused as refused:
            return self._name_of(refused.data) or refused.message
        return None

    def _name_of(self, data: bytes) -> str | None:
        if data[:4] == _ERROR_STRING:
            (text,) = decode(["string"], data[4:])
            return str(text)
        return self._errors.get(data[:4])

    def _broadcast(self, to: bytes, data: bytes) -> bytes:
        head = self._rpc.block("latest")
        assert head is not None
        signed = self._signer.sign_transaction(
            UnsignedTransaction(
                chain_id=self._chain_id,
                nonce=self._rpc.nonce_of(self._signer.address, "pending"),
                to=to,
                value=0,
                data=data,
                gas_limit=GAS_MOST,
                max_fee=2 * head.base_fee + PRIORITY_FEE,
                priority_fee=PRIORITY_FEE,
            )
        )
        self._rpc.submit("eth_sendRawTransaction", hexed(signed.raw))
        return signed.tx_hash

    def _mined(self, tx_hash: bytes) -> Receipt:
        deadline = time.monotonic() + RECEIPT_SECONDS
        while time.monotonic() < deadline:
            receipt = self._rpc.receipt(tx_hash)
            if receipt is not None:
                return receipt
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"{hexed(tx_hash)} has no receipt")
