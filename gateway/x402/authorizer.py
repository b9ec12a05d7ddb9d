"""The receiver-authorizer's signatures, which claims and refunds need (EIP-712 `ClaimBatch` and `Refund`).

The key can claim what payers signed and give back what is unclaimed, to where they came from. It moves nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.x402.payloads import VoucherClaim
from kit.chain.signer import Signer
from verification.signatures.eip712 import ClaimEntry, Domain, channel_id, claim_batch_digest, refund_digest


class Authorizer:
    """`address` is what channels name as receiverAuthorizer: a contract that answers ERC-1271 for `signer`'s key."""

    def __init__(self, address: bytes, signer: Signer, domain: Domain) -> None:
        self.address = address
        self._signer = signer
        self._domain = domain

    def sign_claims(self, claims: Sequence[VoucherClaim]) -> bytes:
        """65 bytes for `claimWithSignature` with exactly these rows in this order."""
        entries = [ClaimEntry(channel_id(self._domain, c.config), c.max_claimable, c.total_claimed) for c in claims]
        return self._signer.sign_digest(claim_batch_digest(self._domain, entries))

    def sign_refund(self, channel: bytes, nonce: int, amount: int) -> bytes:
        """65 bytes for `refundWithSignature`."""
        return self._signer.sign_digest(refund_digest(self._domain, channel, nonce, amount))
