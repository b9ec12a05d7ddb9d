"""Every reason that the facilitator gives, each from a payment that deserves it; and nothing has changed after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account

from kit.chain.addresses import ESCROW
from tests.integration.contracts.channels import CONFIG, FOR_EVER, calldata
from tests.integration.x402.world import (
    PRICE,
    Document,
    World,
    claim_entry,
    config_document,
    deposit_payload,
    exact_payload,
    refund_payload,
    voucher_document,
    voucher_payload,
)

BATCH = "invalid_batch_settlement_evm_"
EXACT = "invalid_exact_evm_"
STRANGER = "0x00000000000000000000000000000000000000Aa".lower()
SEVEN_HUNDRED_BYTES = "0x" + "11" * 700


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that is to be refused. `calls` are the endpoints that refuse it."""

    payload: Document
    asked: Document
    accepted: Document | None = None
    calls: tuple[str, ...] = ("verify", "settle")


def _exact(world: World, *, asked: Document | None = None, accepted: Document | None = None, **signed: Any) -> Ask:
    return Ask(exact_payload(world, world.payer(), **signed), asked or world.requirements("exact"), accepted)


def _terms(world: World, **changes: Any) -> Document:
    return {**world.requirements("exact"), **changes}


def _channel_terms(world: World, **changes: Any) -> Document:
    return {**world.requirements(), **changes}


def _with_extra(document: Document, **extra: Any) -> Document:
    kept = {name: value for name, value in {**document["extra"], **extra}.items() if value is not None}
    return {**document, "extra": kept}


def _wrapped(signature: str) -> str:
    """ERC-6492: a factory that would deploy the wallet."""
    body = encode(["address", "bytes", "bytes"], [ESCROW, b"", bytes.fromhex(signature[2:])])
    return "0x" + body.hex() + "6492" * 16


def _exact_signed(world: World, change: Callable[[str], str]) -> Ask:
    payload = exact_payload(world, world.payer())
    return Ask({**payload, "signature": change(payload["signature"])}, world.requirements("exact"))


def _delegated(world: World) -> Ask:
    """EIP-7702: with code at the payer, a good ECDSA signature counts for nothing."""
    payer = world.payer()
    world.node.anvil.request("anvil_setCode", payer.address, "0xef0100" + ESCROW[2:])
    return Ask(exact_payload(world, payer), world.requirements("exact"))


def _used_nonce(world: World) -> Ask:
    ask = _exact(world)
    signed = ask.payload["authorization"]
    signature = bytes.fromhex(ask.payload["signature"][2:])
    words = [signed["from"], signed["to"], PRICE, 0, int(signed["validBefore"]), bytes.fromhex(signed["nonce"][2:])]
    types = ["address", "address", "uint256", "uint256", "uint256", "bytes32", "bytes"]
    data = calldata(f"transferWithAuthorization({','.join(types)})", types, [*words, signature])
    world.send(STRANGER, world.contracts.token.address, data)
    return ask


def _voucher(
    world: World,
    maximum: int = 2 * PRICE,
    *,
    asked: Document | None = None,
    config: Document | None = None,
    **changes: Any,
) -> Ask:
    channel, _ = world.opened()
    payload = voucher_payload(channel, maximum, **changes)
    if config is not None:
        payload["channelConfig"] = {**payload["channelConfig"], **config}
    return Ask(payload, asked or world.requirements())


def _deposit(
    world: World, *, tokens: int = 10**8, amount: int = 10 * PRICE, maximum: int = PRICE, **signed: Any
) -> Ask:
    channel = world.channel(world.payer(tokens))
    return Ask(deposit_payload(world, channel, amount, maximum, **signed), world.requirements())


def _deposit_signed(world: World, change: Callable[[str], str]) -> Ask:
    ask = _deposit(world)
    authorization = ask.payload["deposit"]["authorization"]["erc3009Authorization"]
    authorization["signature"] = change(authorization["signature"])
    return ask


def _other_delay(world: World, delay: int) -> Ask:
    channel = replace(world.channel(world.payer()), withdraw_delay=delay)
    return Ask(voucher_payload(channel, PRICE), _with_extra(world.requirements(), withdrawDelay=delay))


def _permit2_deposit(world: World) -> Ask:
    ask = _deposit(world)
    ask.payload["deposit"]["authorization"] = {"permit2Authorization": {"from": STRANGER}}
    return ask


def _spent(world: World) -> Ask:
    """All of the channel is charged already."""
    channel, _ = world.opened(deposit=PRICE)
    return Ask(refund_payload(channel, PRICE), world.requirements())


def _claimed(world: World) -> Ask:
    """A voucher at what the chain has claimed already."""
    channel, _ = world.opened()
    bare = {**world.requirements(), "amount": "0", "maxTimeoutSeconds": 0, "extra": {}}
    claim = {"type": "claim", "claims": [claim_entry(channel, PRICE, PRICE)]}
    assert world.settle(claim, bare)["success"]
    deadline = time.monotonic() + 20
    while world.state(channel)["claimed"] < PRICE:
        assert time.monotonic() < deadline, "the claim did not reach the book"
        time.sleep(0.05)
    return Ask(voucher_payload(channel, PRICE), world.requirements())


def _withdrawing(world: World) -> Ask:
    channel, _ = world.opened()
    data = calldata(f"initiateWithdraw({CONFIG},uint128)", [CONFIG, "uint128"], [channel.config, 9 * PRICE])
    world.send(channel.payer.address, ESCROW, data)
    deadline = time.monotonic() + 20
    while world.state(channel)["withheld"] < 9 * PRICE:
        assert time.monotonic() < deadline, "the withdrawal did not reach the book"
        time.sleep(0.05)
    return Ask(voucher_payload(channel, 2 * PRICE), world.requirements())


def _claim(world: World, entry: Document, **more: Any) -> Ask:
    bare = {**world.requirements(), "amount": "0", "maxTimeoutSeconds": 0, "extra": {}}
    return Ask({"type": "claim", "claims": [entry], **more}, bare, calls=("settle",))


def _foreign_authorizer(world: World) -> Ask:
    channel = world.channel(world.payer(), receiver_authorizer=world.receiver)
    return _claim(world, claim_entry(channel, PRICE, PRICE))


def _settle_order(world: World) -> Ask:
    other = Account.create().address
    with world.pool.connection() as connection:
        connection.execute(
            "INSERT INTO merchant_receivers SELECT merchant_id, %s FROM merchants LIMIT 1", [bytes.fromhex(other[2:])]
        )
    order = {"type": "settle", "receiver": other, "token": world.contracts.token.address}
    return Ask(order, {**world.requirements(), "payTo": other, "amount": "0"}, calls=("settle",))


def _refund_order(world: World, **changes: Any) -> Ask:
    channel, _ = world.opened()
    order = {
        "type": "refund",
        "channelConfig": config_document(channel),
        "voucher": voucher_document(channel, PRICE),
        "amount": str(9 * PRICE),
        "refundNonce": "0",
        "claims": [claim_entry(channel, PRICE, PRICE)],
        **changes,
    }
    return Ask(order, world.requirements(), calls=("settle",))


def _old_refund(world: World) -> Ask:
    """Lessons A7: an old voucher closes no channel."""
    channel, _ = world.opened()
    assert world.settle(voucher_payload(channel, 2 * PRICE), world.requirements())["success"]
    return Ask(refund_payload(channel, PRICE), world.requirements())


def _foreign_refund(world: World) -> Ask:
    """Lessons A7: nor does a voucher of another channel."""
    (mine, _), (other, _) = world.opened(), world.opened()
    payload = {**refund_payload(mine, PRICE), "voucher": voucher_document(other, PRICE)}
    return Ask(payload, world.requirements())


def _high_s(signature: str) -> str:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    r, s, v = signature[2:66], int(signature[66:130], 16), int(signature[130:], 16)
    return f"0x{r}{order - s:064x}{55 - v:02x}"


def _compact(signature: str) -> str:
    """EIP-2098: 64 bytes."""
    r, s, v = signature[2:66], int(signature[66:130], 16), int(signature[130:], 16)
    return f"0x{r}{s | ((v - 27) << 255):064x}"


def _voucher_signed(world: World, change: Callable[[str], str]) -> Ask:
    ask = _voucher(world)
    ask.payload["voucher"]["signature"] = change(ask.payload["voucher"]["signature"])
    return ask


def _other_chain(world: World) -> Ask:
    """A voucher for the channel of this configuration on another chain."""
    channel, _ = world.opened()
    there = replace(channel, chain_id=84532)
    payload = {**voucher_payload(channel, 2 * PRICE), "voucher": voucher_document(there, 2 * PRICE)}
    return Ask(payload, world.requirements())


def _other_channel(world: World) -> Ask:
    """A signature over another channel's voucher."""
    (mine, _), (other, _) = world.opened(), world.opened()
    voucher = {**voucher_document(mine, 2 * PRICE), "signature": voucher_document(other, 2 * PRICE)["signature"]}
    return Ask({**voucher_payload(mine, 2 * PRICE), "voucher": voucher}, world.requirements())


def _no_deposit(world: World, *, keeps: bool) -> Ask:
    channel = world.channel(world.payer())
    asked = world.requirements() if keeps else _with_extra(world.requirements(), bookkeeper=None)
    return Ask(voucher_payload(channel, PRICE), asked, calls=("verify",))


def _nothing_deposited(world: World) -> Ask:
    return replace(_no_deposit(world, keeps=True), calls=("settle",))


def _spent_salt(world: World) -> Ask:
    """The deposit's nonce was used: by somebody who sent the same authorization himself."""
    channel = world.channel(world.payer())
    world.send(STRANGER, ESCROW, channel.deposit(10 * PRICE, 424242))
    payload = deposit_payload(world, channel, 10 * PRICE, PRICE, salt=424242, valid_before=FOR_EVER)
    return Ask(payload, world.requirements())


CASES: list[tuple[str, Callable[[World], Ask]]] = [
    # any scheme
    ("unsupported_scheme", lambda w: Ask({}, _terms(w, scheme="upto"))),
    ("invalid_network", lambda w: _exact(w, asked=_terms(w, network="eip155:8453"))),
    ("invalid_payment_requirements", lambda w: _voucher(w, asked=_channel_terms(w, amount="0"))),
    ("receiver_not_registered", lambda w: _exact(w, to=STRANGER, asked=_terms(w, payTo=STRANGER))),
    # a resource server may ask for less than was accepted, never for more
    ("invalid_payment_requirements", lambda w: replace(_voucher(w), accepted=_channel_terms(w, amount="999"))),
    # exact
    ("unsupported_scheme", lambda w: _exact(w, accepted=_terms(w, scheme="batch-settlement"))),
    ("network_mismatch", lambda w: _exact(w, accepted=_terms(w, network="eip155:1"))),
    ("missing_eip712_domain", lambda w: _exact(w, asked=_with_extra(_terms(w), version=None))),
    (EXACT + "payload_recipient_mismatch", lambda w: _exact(w, to=STRANGER)),
    (EXACT + "payload_recipient_mismatch", lambda w: _exact(w, accepted=_terms(w, payTo=STRANGER))),
    (EXACT + "payload_authorization_value_mismatch", lambda w: _exact(w, value=PRICE + 1)),
    (EXACT + "payload_authorization_value_mismatch", lambda w: _exact(w, value=PRICE - 1)),
    (EXACT + "payload_authorization_valid_before", lambda w: _exact(w, valid_before=int(time.time()) + 3)),
    (EXACT + "payload_authorization_valid_after", lambda w: _exact(w, valid_after=int(time.time()) + 60)),
    (EXACT + "payload_signature", lambda w: _exact_signed(w, lambda _: "0x00")),
    (EXACT + "payload_signature", lambda w: _exact_signed(w, _high_s)),
    (EXACT + "payload_signature", lambda w: _exact_signed(w, _compact)),
    (EXACT + "payload_signature", lambda w: _exact(w, sender=STRANGER)),
    (EXACT + "payload_signature", _delegated),
    (EXACT + "payload_undeployed_smart_wallet", lambda w: _exact_signed(w, lambda _: SEVEN_HUNDRED_BYTES)),
    ("eip6492_factory_not_allowed", lambda w: _exact_signed(w, _wrapped)),
    ("permit2_not_supported", lambda w: Ask({"permit2Authorization": {}, "signature": "0x"}, _terms(w))),
    ("permit2_not_supported", lambda w: _exact(w, asked=_with_extra(_terms(w), assetTransferMethod="permit2"))),
    ("asset_not_deployed_contract", lambda w: _exact(w, asked=_terms(w, asset=STRANGER))),
    (EXACT + "eip3009_not_supported", lambda w: _exact(w, asked=_terms(w, asset=w.receiver))),
    (EXACT + "nonce_already_used", _used_nonce),
    (EXACT + "insufficient_balance", lambda w: Ask(exact_payload(w, w.payer(0)), _terms(w))),
    (EXACT + "token_name_mismatch", lambda w: _exact(w, asked=_with_extra(_terms(w), name="USD Coin"))),
    (EXACT + "token_version_mismatch", lambda w: _exact(w, asked=_with_extra(_terms(w), version="9"))),
    (EXACT + "token_name_mismatch",
     lambda w: _exact(w, name="USD Coin", asked=_with_extra(_terms(w), name="USD Coin"))),
    (EXACT + "token_version_mismatch",
     lambda w: _exact(w, version="9", asked=_with_extra(_terms(w), version="9"))),
    ("amount_requires_settlement",
     lambda w: _exact(w, value=10**11, asked=w.requirements("exact", amount=10**11))),
    ("check_not_available", lambda w: _exact(w, value=10**8, asked=w.requirements("exact", amount=10**8))),
    # batch-settlement, any payload
    (BATCH + "scheme", lambda w: replace(_voucher(w), accepted=_channel_terms(w, scheme="exact"))),
    (BATCH + "network_mismatch", lambda w: replace(_voucher(w), accepted=_channel_terms(w, network="eip155:1"))),
    (BATCH + "payload_type", lambda w: Ask({"type": "withdraw"}, w.requirements())),
    (BATCH + "channel_id_mismatch", lambda w: _voucher(w, config={"salt": "0x" + "77" * 32})),
    (BATCH + "receiver_mismatch", lambda w: replace(_voucher(w), accepted=_channel_terms(w, payTo=STRANGER))),
    (BATCH + "token_mismatch", lambda w: replace(_voucher(w), accepted=_channel_terms(w, asset=STRANGER))),
    (BATCH + "receiver_authorizer_mismatch",
     lambda w: _voucher(w, asked=_with_extra(w.requirements(), receiverAuthorizer=STRANGER))),
    (BATCH + "withdraw_delay_mismatch",
     lambda w: _voucher(w, asked=_with_extra(w.requirements(), withdrawDelay=7200))),
    (BATCH + "withdraw_delay_out_of_range", lambda w: _other_delay(w, 899)),
    (BATCH + "withdraw_delay_out_of_range", lambda w: _other_delay(w, 2_592_001)),
    # vouchers
    (BATCH + "voucher_signature", lambda w: _voucher_signed(w, lambda _: "0x00")),
    (BATCH + "voucher_signature", lambda w: _voucher_signed(w, _high_s)),
    (BATCH + "voucher_signature", lambda w: _voucher_signed(w, _compact)),
    (BATCH + "voucher_signature", _other_channel),
    (BATCH + "channel_id_mismatch", _other_chain),
    (BATCH + "channel_not_found", lambda w: _no_deposit(w, keeps=True)),
    (BATCH + "channel_not_found", lambda w: _no_deposit(w, keeps=False)),
    (BATCH + "missing_channel", _nothing_deposited),
    (BATCH + "cumulative_amount_mismatch", lambda w: _voucher(w, PRICE)),
    (BATCH + "cumulative_amount_mismatch", lambda w: _voucher(w, 2 * PRICE + 1)),
    (BATCH + "cumulative_amount_mismatch", lambda w: _voucher(w, 2 * PRICE - 1)),
    (BATCH + "cumulative_below_claimed", _claimed),
    (BATCH + "cumulative_exceeds_balance",
     lambda w: _voucher(w, 10 * PRICE + 1, asked=w.requirements(amount=9 * PRICE + 1))),
    (BATCH + "cumulative_exceeds_balance", _withdrawing),
    # deposits
    (BATCH + "missing_eip712_domain",
     lambda w: replace(_deposit(w), asked=_with_extra(w.requirements(), name=None))),
    (BATCH + "payload_authorization_valid_before", lambda w: _deposit(w, valid_before=int(time.time()) + 3)),
    (BATCH + "payload_authorization_valid_after", lambda w: _deposit(w, valid_after=int(time.time()) + 60)),
    (BATCH + "receive_authorization_signature", lambda w: _deposit_signed(w, lambda _: "0x" + "11" * 65)),
    (BATCH + "receive_authorization_signature", lambda w: _deposit_signed(w, _high_s)),
    (BATCH + "eip6492_factory_not_allowed", lambda w: _deposit_signed(w, _wrapped)),
    (BATCH + "erc3009_authorization_required", _permit2_deposit),
    (BATCH + "deposit_below_min_deposit", lambda w: _deposit(w, amount=0)),
    (BATCH + "insufficient_balance", lambda w: _deposit(w, tokens=PRICE)),
    (BATCH + "cumulative_amount_mismatch", lambda w: _deposit(w, maximum=2 * PRICE)),
    (BATCH + "cumulative_exceeds_balance", lambda w: _deposit(w, amount=PRICE - 1)),
    (BATCH + "deposit_simulation_failed", _spent_salt),
    # refunds
    (BATCH + "refund_no_balance", _spent),
    (BATCH + "refund_no_balance", lambda w: Ask(refund_payload(w.opened()[0], PRICE, 10 * PRICE), w.requirements())),
    (BATCH + "refund_amount_invalid", lambda w: Ask(refund_payload(w.opened()[0], PRICE, 0), w.requirements())),
    (BATCH + "cumulative_amount_mismatch", _old_refund),
    (BATCH + "channel_id_mismatch", _foreign_refund),
    (BATCH + "cumulative_amount_mismatch",
     lambda w: Ask(refund_payload(w.opened()[0], PRICE + 1), w.requirements())),
    (BATCH + "refund_amount_invalid", lambda w: _refund_order(w, amount="0")),
    (BATCH + "refund_simulation_failed", lambda w: _refund_order(w, claims=[])),
    (BATCH + "refund_simulation_failed", lambda w: _refund_order(w, refundNonce="7")),
    # claims and settlements
    (BATCH + "authorizer_address_mismatch", _foreign_authorizer),
    (BATCH + "claim_simulation_failed", lambda w: _claim(w, claim_entry(w.channel(w.payer()), PRICE, PRICE))),
    (BATCH + "claim_payload", lambda w: _claim(w, claim_entry(w.opened()[0], 2 * PRICE, 2 * PRICE))),
    (BATCH + "nothing_to_settle", _settle_order),
]  # fmt: skip


@pytest.mark.parametrize(("code", "make"), CASES, ids=[f"{number}-{code}" for number, (code, _) in enumerate(CASES)])
def test_it_is_refused_with_its_code_and_nothing_is_sent(
    world: World, code: str, make: Callable[[World], Ask]
) -> None:
    ask = make(world)
    sent, payments = world.relayed(), _payments(world)
    for call in ask.calls:
        answer = getattr(world, call)(ask.payload, ask.asked, accepted=ask.accepted)
        reason = answer["invalidReason" if call == "verify" else "errorReason"]
        assert (call, reason) == (call, code), answer
        assert answer["isValid" if call == "verify" else "success"] is False
        if call == "settle":
            assert answer["transaction"] == ""
            assert answer["network"] == ask.asked["network"]
    assert (world.relayed(), _payments(world)) == (sent, payments)


def _payments(world: World) -> int:
    with world.pool.connection() as connection:
        row = connection.execute("SELECT count(*) FROM payments WHERE scheme = 1").fetchone()
    assert row is not None
    return int(row[0])


def test_version_one_is_refused_by_name(world: World) -> None:
    ask = _exact(world)
    body = {
        "x402Version": 1,
        "paymentPayload": {"x402Version": 1, "payload": ask.payload, "accepted": ask.asked},
        "paymentRequirements": ask.asked,
    }
    answer = world.http.post(f"{world.x402}/verify", json=body)
    assert (answer.status_code, answer.json()["invalidReason"]) == (200, "invalid_x402_version")


def test_a_mismatch_tells_where_the_channel_stands(world: World) -> None:
    channel, _ = world.opened()
    for call in ("verify", "settle"):
        answer = getattr(world, call)(voucher_payload(channel, 5 * PRICE), world.requirements())
        assert answer["extra"] == {
            "channelState": {
                "channelId": "0x" + channel.id.hex(),
                "balance": str(10 * PRICE),
                "totalClaimed": "0",
                "withdrawRequestedAt": 0,
                "refundNonce": "0",
                "chargedCumulativeAmount": str(PRICE),
            },
            "voucherState": {
                "signedMaxClaimable": str(PRICE),
                "signature": voucher_document(channel, PRICE)["signature"],
            },
        }


def test_a_voucher_is_shown_to_nobody_who_cannot_sign_for_the_channel(world: World) -> None:
    channel, _ = world.opened()
    stranger = Account.create()
    payload = {**voucher_payload(channel, 5 * PRICE), "voucher": voucher_document(channel, 5 * PRICE, stranger)}
    for call in ("verify", "settle"):
        assert "extra" not in getattr(world, call)(payload, world.requirements())
