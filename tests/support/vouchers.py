"""Payers with keys of their own, channels of theirs, and vouchers that they sign."""

from __future__ import annotations

from dataclasses import dataclass

from coincurve import PrivateKey

from verification.signatures.eip712 import ChannelConfig, Domain, channel_id, escrow_domain, keccak, voucher_digest

CHAIN_ID = 31337
ESCROW = bytes.fromhex("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003")
TOKEN = bytes.fromhex("036CbD53842c5426634e7929541eC2318f3dCF7e")
RECEIVER_AUTHORIZER = bytes.fromhex("90F79bf6EB2c4f870365E785982E1f101E93b906")
DOMAIN = escrow_domain(CHAIN_ID, ESCROW)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Signer:
    """A secp256k1 key made from a name: the same name, the same key."""

    def __init__(self, name: str) -> None:
        self._key = PrivateKey(keccak(name.encode()))
        self.address = keccak(self._key.public_key.format(compressed=False)[1:])[12:]

    def sign(self, digest: bytes) -> bytes:
        """r || s || v of 65 bytes, s in the lower half, v of 27 or 28."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


def with_high_s(signature: bytes) -> bytes:
    """The other signature that the same key could have made of the same digest: (r, n - s), the parity flipped."""
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def compact(signature: bytes) -> bytes:
    """The 64-byte form of EIP-2098: the parity in the top bit of s."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class PayerChannel:
    """A channel as its payer sees it."""

    signer: Signer
    config: ChannelConfig
    domain: Domain = DOMAIN

    @property
    def channel_id(self) -> bytes:
        return channel_id(self.domain, self.config)

    def sign(self, max_claimable: int) -> bytes:
        """The signature of a voucher of this maximum."""
        return self.signer.sign(voucher_digest(self.domain, self.channel_id, max_claimable))


def payer_channel(
    payer: str, receiver: bytes, *, salt: int = 0, withdraw_delay: int = 3600, authorizer: str | None = None
) -> PayerChannel:
    """The channel that the payer called `payer` opens to `receiver`; it signs itself unless `authorizer` is named."""
    signer = Signer(authorizer or payer)
    config = ChannelConfig(
        payer=Signer(payer).address,
        payer_authorizer=signer.address,
        receiver=receiver,
        receiver_authorizer=RECEIVER_AUTHORIZER,
        token=TOKEN,
        withdraw_delay=withdraw_delay,
        salt=salt.to_bytes(32, "big"),
    )
    return PayerChannel(signer, config)
