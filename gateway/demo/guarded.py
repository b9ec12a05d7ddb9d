"""The demo's large transfers: what the guarded treasury lets out, and what it refuses without the validators."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import decode

from gateway.demo.signers import Signers, read_signers, signer_of
from gateway.demo.wallet import Ended, Wallet
from kit.chain.abi import calldata, error_names
from kit.chain.artifacts import find_artifacts
from kit.chain.rpc import Rpc
from verification.multisig import SafeTransaction
from verification.signatures.messages import Facts, GrantStanding, Order, settlement_domain

USD = 10**6
DEPOSIT = 25_000 * USD
SMALL = 2_500 * USD
LARGE = 12_500 * USD
STANDING_SECONDS = 6 * 24 * 3600
CERTIFICATE_SECONDS = 1800
CERTIFICATE_NEEDED = "CertificateNeeded"
FOREIGN = "InvalidSignature"
"""What the verifier calls a certificate of another order."""

_EXEC = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
_GRANT = "grant((address,uint64,uint64,uint64,uint32,bytes32),bytes)"


class Unexpected(Exception):
    """The chain let pass what it should refuse, or the other way round; the text says what."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the stack has written what it deployed and who signs."""

    contracts: Path
    committee: Path
    artifacts: Path


class Guarded:
    """The treasury of a running stack. `say` prints a line, `money` spells an amount of the token."""

    def __init__(
        self, info: dict[str, Any], files: Files, say: Callable[[str], None], money: Callable[[int], str]
    ) -> None:
        chain, accounts = info["chain"], info["accounts"]
        self._say, self._money = say, money
        self._at = {name: _raw(address) for name, address in json.loads(files.contracts.read_text()).items()}
        self._safe, self._token = _raw(chain["treasury_safe"]), _raw(chain["token"]["address"])
        self._chain_id: int = chain["chain_id"]
        domain = settlement_domain(self._chain_id, _raw(chain["guard"]))
        self._signers: Signers = read_signers(files.committee, accounts["owners"], domain)
        self._rpc = Rpc(chain["rpc_url"])
        errors = error_names(find_artifacts(files.artifacts, None))
        self._owner = Wallet(self._signers.owners[0], self._rpc, self._chain_id, errors)
        payer = signer_of(accounts["payer"]["private_key"])
        self._payer = Wallet(payer, self._rpc, self._chain_id, errors)
        self._recipient = _raw(accounts["merchant"]["address"])
        self._threshold = self._uint(self._safe, "getThreshold()")

    def close(self) -> None:
        self._rpc.close()

    def show(self) -> int:
        """All steps; the last one's block. Raises Unexpected, RpcError, TimeoutError."""
        group = self._rpc.call(self._at["TransferGuard"], calldata("groupOf(address)", self._safe))
        daily, certified_from = self._limits(group)
        self._say(f"guarded Safe: the treasury 0x{self._safe.hex()}, {self._threshold} owners sign")
        self._say(f"  without a certificate {self._money(daily)} in 24 h, each below {self._money(certified_from)}")
        notice, exit_ = self._delays()
        self._say(f"  delays of this local chain: notice {notice} s, exit {exit_} s (in production 24 h and 14 days)")
        deposit = calldata("transfer(address,uint256)", self._safe, DEPOSIT)
        self._expect(self._payer.send(self._token, deposit), None, f"{self._money(DEPOSIT)} paid into it")
        self._grant()
        self._attempt(SMALL, f"{self._money(SMALL)} to that account, without a certificate", None)
        room = self._uint(self._at["TransferGuard"], "room(bytes32,address)", group, self._token)
        self._say(f"  {self._money(room)} may leave without a certificate now")
        self._attempt(LARGE, f"{self._money(LARGE)} to it, without a certificate", CERTIFICATE_NEEDED)
        certificate = self._certify(self._transfer(LARGE))
        self._attempt(LARGE, "the same with the certificate", None, certificate)
        last = self._attempt(LARGE, "the same certificate again, the owners sign anew", FOREIGN, certificate)
        self._say("")
        return last.receipt.block_number

    def _grant(self) -> None:
        registry = self._at["StandingRegistry"]
        grant = GrantStanding(
            account=self._recipient,
            grant_id=self._uint(registry, "lastGrantId(address)", self._recipient) + 1,
            expiry=self._rpc.finalized().time + STANDING_SECONDS,
            classes=1,
            issuer=1,
            commitment=secrets.token_bytes(32),
        )
        fields = (grant.account, grant.grant_id, grant.expiry, grant.classes, grant.issuer, grant.commitment)
        ended = self._owner.send(registry, calldata(_GRANT, fields, self._signers.attest(grant)))
        who = f"{self._signers.attester_threshold} of {len(self._signers.attesters)} attesters"
        self._expect(ended, None, f"standing of 0x{self._recipient.hex()} by {who}")

    def _attempt(self, amount: int, what: str, refusal: str | None, certificate: bytes = b"") -> Ended:
        """Owners sign and it is sent; what it moved is told by the balances, to the unit."""
        transaction = self._transfer(amount)
        signatures = self._signers.approve(transaction.hash(self._chain_id, self._safe), self._threshold)
        before = self._balances()
        ended = self._owner.send(self._safe, _execution(transaction, signatures + certificate))
        after = self._balances()
        moved = 0 if refusal else amount
        if (before[0] - after[0], after[1] - before[1]) != (moved, moved):
            raise Unexpected(f"{what}: {before} became {after}, where {moved} should have moved")
        self._expect(ended, refusal, what)
        return ended

    def _expect(self, ended: Ended, refusal: str | None, what: str) -> None:
        if ended.refusal != refusal:
            raise Unexpected(f"{what}: {ended.refusal or 'accepted'}, where it should be {refusal or 'accepted'}")
        gas = f"{ended.receipt.gas_used:,} gas"
        if refusal is None:
            self._say(f"  {what}\n    {ended.tx_hash} ({gas}) in {ended.seconds:.2f} s")
        else:
            self._say(f"  {what}\n    refused: {refusal}; {ended.tx_hash} reverted ({gas})")

    def _transfer(self, amount: int) -> SafeTransaction:
        nonce = self._uint(self._safe, "nonce()")
        return SafeTransaction(self._token, 0, calldata("transfer(address,uint256)", self._recipient, amount), nonce)

    def _certify(self, transaction: SafeTransaction) -> bytes:
        started = time.perf_counter()
        order = self._order(transaction)
        certificate, signed = self._signers.certify(order)
        took = (time.perf_counter() - started) * 1000
        self._say(f"  {signed} of {len(self._signers.validators)} validators certify it, in {took:.1f} ms")
        return certificate

    def _order(self, transaction: SafeTransaction) -> Order:
        """With facts as of the last final block; what nobody has decided yet is zero."""
        block = self._rpc.finalized()
        guard, governor = self._at["TransferGuard"], self._at["Governor"]
        facts = Facts(
            block_number=block.number,
            block_hash=block.hash,
            block_time=block.time,
            config_hash=self._rpc.call(guard, calldata("configHashOf(address)", self._safe)),
            policy_hash=bytes(32),
            model_hash=self._rpc.call(governor, calldata("modelHash()")),
            reports_root=bytes(32),
            log_root=bytes(32),
            score=0,
        )
        return Order(
            safe=self._safe,
            safe_tx_hash=transaction.hash(self._chain_id, self._safe),
            safe_nonce=transaction.nonce,
            epoch=self._uint(self._at["ValidatorRegistry"], "epoch()"),
            valid_until=block.time + CERTIFICATE_SECONDS,
            facts_hash=facts.struct_hash(),
        )

    def _limits(self, group: bytes) -> tuple[int, int]:
        """What may leave uncertified in 24 h, and from which amount on a certificate is needed."""
        found = self._rpc.call(self._at["TransferGuard"], calldata("limitsOf(bytes32,address)", group, self._token))
        daily, certified_from, _ = decode(["uint256", "uint256", "uint256"], found)
        return daily, certified_from

    def _delays(self) -> tuple[int, int]:
        """Seconds from a large transfer's announcement to it, and from the guardians' consent to an exit."""
        found = self._rpc.call(self._at["TransferGuard"], calldata("delays()"))
        notice, exit_ = decode(["uint64", "uint64"], found)
        return notice, exit_

    def _balances(self) -> tuple[int, int]:
        """Of the Safe and of the recipient."""
        safe, recipient = (
            self._uint(self._token, "balanceOf(address)", holder) for holder in (self._safe, self._recipient)
        )
        return safe, recipient

    def _uint(self, to: bytes, signature: str, *values: Any) -> int:
        return int.from_bytes(self._rpc.call(to, calldata(signature, *values)), "big")


def _execution(transaction: SafeTransaction, signatures: bytes) -> bytes:
    """Calldata of the Safe; gas and refund fields are zero, as the guard wants them."""
    fields = (transaction.to, transaction.value, transaction.data, transaction.operation)
    return calldata(_EXEC, *fields, 0, 0, 0, bytes(20), bytes(20), signatures)


def _raw(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))
