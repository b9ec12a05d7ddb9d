"""What a claim costs, by real receipts: the second claim of ten existing channels.

Calldata as in production: random payers, signatures and salts, one merchant's treasury as receiver.
"""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

from kit.chain.addresses import ESCROW
from kit.chain.deploy import DEPLOYER
from tests.integration.contracts.channels import Channel, calldata, claim, claim_with_signature, sign_batch
from tests.integration.contracts.conftest import LocalChain, account

CHANNELS = 10
DEPOSIT = 25_000_000
TOTALS = (1_234_567, 2_345_678)
MOST_GAS_A_CHANNEL = 19_204


def open_channels(chain: LocalChain, name: str, receiver_authorizer: str) -> list[Channel]:
    return [open_channel(chain, f"{name} {number}", receiver_authorizer) for number in range(CHANNELS)]


def open_channel(chain: LocalChain, name: str, receiver_authorizer: str) -> Channel:
    """A channel with a deposit, by a payer of its own."""
    channel = Channel(
        chain_id=chain.contracts.chain_id,
        payer=account(name),
        receiver=chain.contracts.treasury_safe,
        receiver_authorizer=receiver_authorizer,
        token=chain.contracts.token,
        salt=keccak(text=name),
    )
    mint = calldata("mint(address,uint256)", ["address", "uint256"], [channel.payer.address, DEPOSIT])
    chain.send(DEPLOYER, chain.contracts.token.address, mint)
    chain.send(account("relay").address, ESCROW, channel.deposit(DEPOSIT, salt=1))
    return channel


def gas_of_second_claim(chain: LocalChain, way: str) -> int:
    """Receipt's gasUsed / 10, by one of the four ways to claim."""
    signer = account("authorizer signer")
    relay = account("relay").address
    rotatable = chain.contracts.receiver_authorizer
    channels = open_channels(chain, way, signer.address if "key" in way else rotatable)
    used = 0
    for total in TOTALS:
        rows = [channel.row(ceiling=total, total=total) for channel in channels]
        entries = [channel.entry_hash(total, total) for channel in channels]
        signature = sign_batch(signer, chain.contracts.chain_id, entries)
        match way:
            case "claim by the key itself":
                used = chain.send(signer.address, ESCROW, claim(rows))
            case "claim through the receiver-authorizer":
                used = chain.send(relay, rotatable, claim(rows))
            case _:
                used = chain.send(relay, ESCROW, claim_with_signature(rows, signature))
    return used // CHANNELS


def test_claim_of_ten_channels(chain: LocalChain, capsys: pytest.CaptureFixture[str]) -> None:
    gas = {
        way: gas_of_second_claim(chain, way)
        for way in (
            "claim by the key itself",
            "claim through the receiver-authorizer",
            "claimWithSignature of a key",
            "claimWithSignature of the receiver-authorizer",
        )
    }
    with capsys.disabled():
        print("\ngas a channel, ten channels, second claim:")
        for way, used in gas.items():
            print(f"  {used:>7,}  {way}")
    assert gas["claim by the key itself"] <= MOST_GAS_A_CHANNEL
    assert gas["claim through the receiver-authorizer"] < gas["claimWithSignature of the receiver-authorizer"]
