"""What a payer and a receiver-authorizer sign, and the calldata that carries it: written from the wire format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from kit.chain.addresses import ERC3009_COLLECTOR, ESCROW, Token

CONFIG = "(address,address,address,address,address,uint40,bytes32)"
CLAIM = f"(({CONFIG},uint128),bytes,uint128)"
FOR_EVER = 2**48


def calldata(signature: str, types: Sequence[str], values: Sequence[Any]) -> bytes:
    return bytes(keccak(text=signature)[:4]) + encode(types, values)


def typed_digest(domain: bytes, struct_hash: bytes) -> bytes:
    """EIP-712."""
    return bytes(keccak(b"\x19\x01" + domain + struct_hash))


def domain_separator(name: str, version: str, chain_id: int, contract: str) -> bytes:
    """EIP-712, with all four usual fields."""
    kind = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    return bytes(
        keccak(
            encode(
                ["bytes32", "bytes32", "bytes32", "uint256", "address"],
                [kind, keccak(text=name), keccak(text=version), chain_id, contract],
            )
        )
    )


def escrow_domain(chain_id: int) -> bytes:
    return domain_separator("x402 Batch Settlement", "1", chain_id, ESCROW)


def sign(account: LocalAccount, digest: bytes) -> bytes:
    return bytes(Account.unsafe_sign_hash(digest, account.key).signature)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel whose payer signs its own vouchers. Amounts in the token's smallest unit."""

    chain_id: int
    payer: LocalAccount
    receiver: str
    receiver_authorizer: str
    token: Token
    salt: bytes = bytes(32)
    withdraw_delay: int = 3600

    @property
    def config(self) -> tuple[object, ...]:
        payer = self.payer.address
        return (
            payer, payer, self.receiver, self.receiver_authorizer, self.token.address, self.withdraw_delay, self.salt,
        )  # fmt: skip

    @property
    def id(self) -> bytes:
        kind = keccak(
            text="ChannelConfig(address payer,address payerAuthorizer,address receiver,"
            "address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
        )
        return typed_digest(escrow_domain(self.chain_id), keccak(kind + encode([CONFIG], [self.config])))

    def deposit(self, amount: int, salt: int) -> bytes:
        """Calldata of `deposit` by ERC-3009."""
        nonce = keccak(encode(["bytes32", "uint256"], [self.id, salt]))
        kind = keccak(
            text="ReceiveWithAuthorization(address from,address to,uint256 value,"
            "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        )
        struct_hash = keccak(
            encode(
                ["bytes32", "address", "address", "uint256", "uint256", "uint256", "bytes32"],
                [kind, self.payer.address, ERC3009_COLLECTOR, amount, 0, FOR_EVER, nonce],
            )
        )
        token = self.token
        domain = domain_separator(token.name, token.version, self.chain_id, token.address)
        signature = sign(self.payer, typed_digest(domain, struct_hash))
        collector_data = encode(["uint256", "uint256", "uint256", "bytes"], [0, FOR_EVER, salt, signature])
        types = [CONFIG, "uint128", "address", "bytes"]
        return calldata(
            f"deposit({','.join(types)})", types, [self.config, amount, ERC3009_COLLECTOR, collector_data]
        )

    def row(self, ceiling: int, total: int) -> tuple[object, ...]:
        """One VoucherClaim, signed."""
        kind = keccak(text="Voucher(bytes32 channelId,uint128 maxClaimableAmount)")
        struct_hash = keccak(encode(["bytes32", "bytes32", "uint128"], [kind, self.id, ceiling]))
        signature = sign(self.payer, typed_digest(escrow_domain(self.chain_id), struct_hash))
        return ((self.config, ceiling), signature, total)

    def entry_hash(self, ceiling: int, total: int) -> bytes:
        kind = keccak(text="ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)")
        types = ["bytes32", "bytes32", "uint128", "uint128"]
        return bytes(keccak(encode(types, [kind, self.id, ceiling, total])))


def claim(rows: Sequence[tuple[object, ...]]) -> bytes:
    return calldata(f"claim({CLAIM}[])", [f"{CLAIM}[]"], [rows])


def claim_with_signature(rows: Sequence[tuple[object, ...]], signature: bytes) -> bytes:
    types = [f"{CLAIM}[]", "bytes"]
    return calldata(f"claimWithSignature({','.join(types)})", types, [rows, signature])


def sign_batch(signer: LocalAccount, chain_id: int, entry_hashes: Sequence[bytes]) -> bytes:
    kind = keccak(
        text="ClaimBatch(ClaimEntry[] claims)"
        "ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    )
    struct_hash = keccak(kind + keccak(b"".join(entry_hashes)))
    return sign(signer, typed_digest(escrow_domain(chain_id), struct_hash))
