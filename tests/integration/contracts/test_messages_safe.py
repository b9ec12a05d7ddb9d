"""A real Safe v1.5 gives our transaction hash and accepts our encoding of its owners' signatures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from coincurve import PrivateKey
from eth_abi.abi import encode
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.chain.anvil import Anvil, ChainError
from tests.integration.contracts.channels import calldata
from tests.integration.contracts.conftest import LocalChain, account
from verification.multisig import OwnerSignature, SafeTransaction, count_approvals, read_signature

OWNERS = [account(f"owner {number}") for number in range(3)]
ADDRESSES = [to_canonical_address(owner.address) for owner in OWNERS]
TRANSACTION = SafeTransaction(b"\1" * 20, 0, b"\xde\xad", 0)
_FIELDS = ["address", "uint256", "bytes", "uint8", "uint256", "uint256", "uint256", "address", "address", "uint256"]


def hash_of(anvil: Anvil, safe: str, transaction: SafeTransaction) -> bytes:
    values = [
        transaction.to, transaction.value, transaction.data, transaction.operation, transaction.safe_tx_gas,
        transaction.base_gas, transaction.gas_price, transaction.gas_token, transaction.refund_receiver,
        transaction.nonce,
    ]  # fmt: skip
    return anvil.call(safe, calldata(f"getTransactionHash({','.join(_FIELDS)})", _FIELDS, values))


def accepts(anvil: Anvil, safe: str, digest: bytes, signatures: bytes) -> bool:
    """`checkSignatures` with nobody as the executor, as the guard calls it."""
    types = ["address", "bytes32", "bytes"]
    try:
        anvil.call(safe, calldata("checkSignatures(address,bytes32,bytes)", types, [bytes(20), digest, signatures]))
    except ChainError as error:
        assert "GS0" in str(error), error
        return False
    return True


def plain(owner: LocalAccount, digest: bytes) -> bytes:
    signature = PrivateKey(bytes(owner.key)).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


def personal(owner: LocalAccount, digest: bytes) -> bytes:
    return bytes(owner.sign_message(encode_defunct(digest)).signature)


def test_hash_is_the_safes(chain: LocalChain) -> None:
    safe = chain.contracts.operator_safe
    address, number = st.binary(min_size=20, max_size=20), st.integers(0, 2**256 - 1)

    @settings(max_examples=25, deadline=None)
    @given(
        st.builds(
            SafeTransaction, address, number, st.binary(max_size=99), number, st.integers(0, 1), number, number,
            number, address, address,
        )
    )  # fmt: skip
    def compare(transaction: SafeTransaction) -> None:
        expected = hash_of(chain.anvil, safe, transaction)
        assert transaction.hash(chain.contracts.chain_id, to_canonical_address(safe)) == expected

    compare()


@pytest.mark.parametrize("shift", [0, -27, 4], ids=["as it is", "0/1", "31/32"])
@pytest.mark.parametrize("sign", [plain, personal])
def test_signatures_of_every_wallet_are_accepted(
    chain: LocalChain, sign: Callable[[LocalAccount, bytes], bytes], shift: int
) -> None:
    safe = chain.contracts.operator_safe
    digest = TRANSACTION.hash(chain.contracts.chain_id, to_canonical_address(safe))
    read: list[OwnerSignature] = []
    for owner in OWNERS:
        signature = sign(owner, digest)
        read.append(read_signature(digest, signature[:64] + bytes([signature[64] + shift]), ADDRESSES))
    for signers in (read, read[:2], read[1:], [read[2], read[0], read[0]]):
        signatures = count_approvals(signers, ADDRESSES, 2, ()).encode()
        assert len(signatures) == 130
        assert accepts(chain.anvil, safe, digest, signatures)
    assert not accepts(chain.anvil, safe, digest, signatures[65:] + signatures[:65]), "the order matters to the Safe"
    assert not accepts(chain.anvil, safe, keccak(digest), signatures)


def test_approved_hash_beside_a_signature(chain: LocalChain) -> None:
    safe = chain.contracts.operator_safe
    digest = SafeTransaction(b"\1" * 20, 0, b"approved", 0).hash(chain.contracts.chain_id, to_canonical_address(safe))
    read = [read_signature(digest, plain(OWNERS[1], digest), ADDRESSES)]
    signatures = count_approvals(read, ADDRESSES, 2, {ADDRESSES[0]}).encode()
    assert not accepts(chain.anvil, safe, digest, signatures)
    chain.send(OWNERS[0].address, safe, calldata("approveHash(bytes32)", ["bytes32"], [digest]))
    assert accepts(chain.anvil, safe, digest, signatures)
    approved = calldata("approvedHashes(address,bytes32)", ["address", "bytes32"], [ADDRESSES[0], digest])
    assert chain.anvil.call(safe, approved) == encode(["uint256"], [1])
