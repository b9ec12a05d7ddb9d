"""A key stays in its signer."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account

from kit.chain.signer import KeyFileError, LocalSigner, UnsignedTransaction, read_key_file

KEY = "0x" + "ab" * 32
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def test_a_key_file_gives_a_signer_that_shows_its_address_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    signer = read_key_file(path)
    assert signer.address == bytes.fromhex(Account.from_key(KEY).address[2:])
    assert "ab" * 8 not in repr(signer)


@pytest.mark.parametrize("text", ["", "0x1234", "not a key", KEY + "00"])
def test_what_is_no_key_is_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(KeyFileError) as caught:
        read_key_file(path)
    assert not text or text not in str(caught.value)
    assert caught.value.__cause__ is None


def test_signing_is_deterministic_and_recoverable() -> None:
    signer = LocalSigner(Account.from_key(KEY))
    unsigned = UnsignedTransaction(31337, 7, bytes(20), 1, b"\1", 21_000, 10, 1)
    signed = signer.sign_transaction(unsigned)
    assert signer.sign_transaction(unsigned) == signed
    assert bytes.fromhex(Account.recover_transaction(signed.raw)[2:]) == signer.address
    signature = signer.sign_digest(b"\2" * 32)
    assert len(signature) == 65 and signature[64] in (27, 28)
    assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
