"""The chain out of sight, the claimer dead, the chain turning back: what is accepted is always claimable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.x402 import abi
from gateway.x402.payloads import DepositAuthorization
from kit.chain.deploy import DEPLOYER
from tests.faults.payers import FOR_EVER
from tests.faults.stage import Stage, Till, stage
from tests.faults.waiting import eventually
from tests.faults.world import ETHER, hexed, raw
from tests.integration.contracts.channels import CONFIG, calldata
from verification.signatures.eip712 import TokenAuthorization, deposit_nonce, receive_authorization_digest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

FRESH, STALE, EXPOSURE = 4, 14, 50_000
WITHDRAW_DELAY = 900
"""The shortest that the escrow allows, in seconds."""
STEP = 7_000
SENT_CLAIMS = "SELECT count(*) FROM chain_transactions WHERE purpose LIKE 'claim%%' AND state = 3"


@pytest.fixture(scope="module")
def here(run_dirs: Path) -> Iterator[Stage]:
    settings = {
        "LOCKGATE_MIRROR_FRESH_SECONDS": str(FRESH),
        "LOCKGATE_MIRROR_STALE_SECONDS": str(STALE),
        "LOCKGATE_EXPOSURE_MOST": str(EXPOSURE),
        "LOCKGATE_CLAIMER_ALIVE_SECONDS": "8",
    }
    with stage(run_dirs / "sight", **settings) as opened:
        yield opened


def test_without_the_chain_vouchers_go_on_up_to_a_limit_and_deposits_do_not(here: Stage) -> None:
    """Known channels pay on: without limit of ours at first, then up to the exposure limit, then no more.

    Defects: no exposure limit (exposure_most answers NO_LIMIT); a stale mirror refuses nothing.
    """
    world, till, stranger = here.world, here.till(), here.till()
    till.open()
    claimed = _claimed(till)
    with here.without("rpc"):
        body = stranger.deposit_body(100)
        answer = stranger.settle_deposit(body, 100)
        assert (answer.status, _code(answer.document)) == (503, "chain_unavailable")
        eventually(lambda: world.mirror_age() > FRESH + 1.5, "the chain has not been seen for a while")
        while (answer := till.pay(STEP)).status == 201:
            assert till.channel.charged - claimed <= EXPOSURE
        assert (answer.status, _code(answer.document)) == (409, "exposure_limit_reached")
        assert till.channel.charged - claimed > EXPOSURE - STEP, "the limit is reached, not missed"
        assert till.pay(EXPOSURE - (till.channel.charged - claimed)).status == 201, "up to the limit itself"
        eventually(lambda: world.mirror_age() > STALE + 1.5, "nor for long")
        answer = till.pay(1)
        assert (answer.status, _code(answer.document)) == (503, "chain_mirror_stale")
    eventually(lambda: till.pay(1).status == 201, "vouchers are accepted again")
    eventually(lambda: stranger.settle_deposit(body, 100).document.get("success"), "and deposits")
    here.check()


def test_a_withdrawal_while_the_worker_is_dead_takes_nothing_that_was_served(here: Stage) -> None:
    """A6: the payer asks for all of it back and pays on; acceptance ends long before the withdrawal is due.

    Defect: the mirror's age stops nothing (exposure_most answers NO_LIMIT): vouchers are accepted to the end.
    """
    world, till = here.world, here.till(withdraw_delay=WITHDRAW_DELAY)
    till.open()
    _claimed(till)
    with here.without("worker"):
        asked = till.channel.deposited - till.channel.charged
        _initiate_withdraw(till, asked)
        accepted = 0
        while (answer := till.pay(100)).status == 201:
            accepted += 1
            assert world.mirror_age() < STALE + 3, "accepted although nobody sees the chain or claims"
        assert accepted > 0
        assert (answer.status, _code(answer.document)) in [
            (503, "chain_mirror_stale"),
            (409, "exposure_limit_reached"),
        ]
        eventually(lambda: till.pay(1).status == 503, "nothing more is accepted")
        served = till.channel.charged
    eventually(lambda: till.state()["withdraw_requested_at"] > 0, "the withdrawal is seen")
    eventually(lambda: till.state()["claimed"] == served, "all that was served is claimed at once")
    eventually(lambda: till.pay(STEP).status == 409, "what is withdrawn cannot be spent")
    world.anvil.request("evm_increaseTime", WITHDRAW_DELAY + 1)
    _finalize_withdraw(till)
    eventually(lambda: till.state()["withdraw_requested_at"] == 0, "the withdrawal is over")
    state = till.state()
    assert (state["charged"], state["claimed"], state["withheld"], state["deficit"]) == (served, served, 0, 0)
    till.channel.deposited = state["credited"]
    assert state["credited"] == served, "the payer has the rest, the merchant what he served"
    here.check()


def test_a_withdrawal_of_a_part_lets_the_rest_be_spent_while_the_claimer_lives(here: Stage) -> None:
    """A6: what stays may be spent while the claimer shows life, and not when it does not.

    Defect: the claimer's age is not looked at.
    """
    world, till = here.world, here.till(withdraw_delay=WITHDRAW_DELAY)
    till.open()
    _initiate_withdraw(till, 1_000_000)
    eventually(lambda: till.state()["withdraw_requested_at"] > 0, "the withdrawal is seen")
    eventually(lambda: till.pay(STEP).status == 201, "the rest can be spent: the claimer lives")
    with here.without("worker"):
        eventually(lambda: till.pay(1).status == 503, "the claimer shows no life: nothing more is accepted")
        assert world.mirror_age() < STALE, "and this is not because the chain is out of sight"
    eventually(lambda: till.pay(1).status == 201, "it lives again")
    here.check()


def test_a_reorganisation_that_takes_a_deposit_and_a_claim_is_booked_back_and_repaired(here: Stage) -> None:
    """E2: what stood on the dead branch is undone; what was served becomes a deficit until the deposit returns.

    Defect: the follower walks back without undoing the logs.
    """
    world, till = here.world, here.till()
    till.open()
    _claimed(till)
    anvil = world.anvil
    anvil.request("evm_setIntervalMining", 0)
    try:
        amount = 300_000
        deposit = _deposit_calldata(till, amount)
        anvil.fund(DEPLOYER, ETHER)
        anvil.send_as(DEPLOYER, world.contracts.escrow, deposit)
        anvil.request("evm_mine")
        eventually(lambda: till.state()["credited"] == till.channel.deposited + amount, "the deposit is credited")
        before = till.channel.deposited
        till.channel.deposited += amount
        assert till.pay(before + 200_000 - till.channel.charged).status == 201, "beyond the first deposit"
        eventually(lambda: world.row(SENT_CLAIMS)[0] > 0, "the claim is sent")
        anvil.request("evm_mine")
        eventually(lambda: till.state()["claimed"] == till.channel.charged, "the claim is booked")
        anvil.request("anvil_reorg", 2, [])
        eventually(lambda: till.state()["credited"] == before, "the deposit is booked back")
        state = till.state()
        assert state["deficit"] == till.channel.charged - before > 0
        assert state["claimed"] < till.channel.charged, "so is the claim"
        assert till.pay(1).status in (409, 422), "a channel in deficit pays nothing"
    finally:
        anvil.request("evm_setIntervalMining", 1)
    done = world.books_check("--wait", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    world.send(DEPLOYER, world.contracts.escrow, deposit)
    eventually(lambda: till.state()["deficit"] == 0, "the deposit is back")
    here.check()


def _claimed(till: Till) -> int:
    """Once all that is charged on the channel is claimed and settled: how much it is."""
    eventually(lambda: till.state()["settled"] == till.channel.charged, "what is charged is claimed and settled")
    return till.channel.charged


def _code(problem: dict[str, str]) -> str:
    return str(problem["type"]).rpartition("/")[2].rpartition(":")[2]


def _withdraw(till: Till, verb: str, types: list[str], values: list[object]) -> None:
    """The payer's own transaction to the escrow."""
    config = till.channel.payer.config
    words = (
        hexed(config.payer),
        hexed(config.payer_authorizer),
        hexed(config.receiver),
        hexed(config.receiver_authorizer),
        hexed(config.token),
        config.withdraw_delay,
        config.salt,
    )
    data = calldata(f"{verb}({','.join([CONFIG, *types])})", [CONFIG, *types], [words, *values])
    world = till.stage.world
    world.send(hexed(config.payer), world.contracts.escrow, data)


def _initiate_withdraw(till: Till, amount: int) -> None:
    _withdraw(till, "initiateWithdraw", ["uint128"], [amount])


def _finalize_withdraw(till: Till) -> None:
    _withdraw(till, "finalizeWithdraw", [], [])


def _deposit_calldata(till: Till, amount: int) -> bytes:
    """A deposit that anybody may send, again and again until the chain has it."""
    world, channel = till.stage.world, till.channel.payer
    collector = raw(world.contracts.erc3009_collector)
    nonce = deposit_nonce(channel.channel_id, 1)
    signed = TokenAuthorization(channel.config.payer, collector, amount, 0, FOR_EVER, nonce)
    signature = channel.signer.sign(receive_authorization_digest(world.token, signed))
    return abi.deposit(channel.config, amount, collector, DepositAuthorization(0, FOR_EVER, 1, signature))
