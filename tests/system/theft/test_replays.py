"""What was signed for one transaction of one Safe under one guard of one chain in one epoch, used for another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.support.committee import Committee
from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import (
    ACCEPTED,
    CERTIFIED_FROM,
    DAY,
    FUNDS,
    MERCHANT,
    NOTICE_FROM,
    TOKEN,
    World,
    build_set,
    mint,
)
from verification.multisig import SafeTransaction
from verification.signatures.messages import FOREVER, Evacuate, GrantStanding, Pause, RegisterPayee, settlement_domain

HOUR = 3_600
pytestmark = admits(Stolen.OWNERS_AND_F)


# Another chain: the same people, contracts and Safe at the same addresses, the same nonce


@pytest.fixture
def second(elsewhere: World, guarded: World) -> World:
    assert elsewhere.circle.addresses == guarded.circle.addresses
    assert elsewhere.safe == guarded.safe and elsewhere.nonce() == guarded.nonce()
    return elsewhere


def test_owners_signatures_and_certificate_are_for_their_chain(guarded: World, second: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = guarded.tail(transfer)
    here = guarded.committee.domain.chain_id
    signatures = guarded.committee.owner_signatures(transfer.hash(here, guarded.safe))
    with guarded.moves(safe=-CERTIFIED_FROM, merchant=CERTIFIED_FROM), second.moves():
        assert guarded.execute(transfer, tail, signatures) == ACCEPTED
        assert second.execute(transfer, tail, signatures) == "GS026"
        # With all owners' keys stolen, the certificate still names the chain: by its domain and by the Safe's hash.
        assert second.execute(transfer, tail) == "InvalidSignature"
        order = second.committee.order(second.safe, transfer, valid_until=second.now() + 600)
        by_domain = replace(second.committee, domain=guarded.committee.domain).tail(order)
        assert second.execute(transfer, by_domain) == "InvalidSignature"


def test_pauses_evacuations_and_standings_are_for_their_chain(guarded: World, second: World) -> None:
    people = guarded.committee
    brake, evacuator = second.at("EmergencyBrake"), second.at("Evacuator")
    pause = Pause(1, FOREVER)
    with second.moves():
        signatures = people.guardian_signatures(pause)
        # A digest of another domain recovers to anybody: out of order, or no guardian.
        answer = second.send(brake, calldata("pauseByGuardians(uint64,bytes)", 1, signatures))
        assert answer in ("NotAGuardian", "OutOfOrder")
        until = second.now() + HOUR
        sentinel = people.sentinel_signature(Pause(1, until))
        signature = "pauseBySentinel(address,uint64,uint64,bytes)"
        data = calldata(signature, hexed(people.sentinel.address), 1, until, sentinel)
        assert second.send(brake, data) == "NotBySentinel"
        message = Evacuate(1, 1, second.safe, TOKEN)
        evacuating = calldata(
            "evacuate(uint64,uint64,address,address,bytes)",
            1,
            1,
            hexed(second.safe),
            hexed(TOKEN),
            people.quorum_signature(message),
        )
        assert second.send(evacuator, evacuating) == "InvalidSignature"
        grant = GrantStanding(acts.GATEWAY.address, 1, second.now() + HOUR, 1, 1, bytes(32))
        values = (hexed(grant.account), 1, grant.expiry, 1, 1, grant.commitment)
        granting = calldata(
            "grant((address,uint64,uint64,uint64,uint32,bytes32),bytes)", values, people.attester_signatures(grant)
        )
        assert second.send(second.at("StandingRegistry"), granting) in ("NotAnAttester", "OutOfOrder")


# Another guard on the same chain, with the same keys


def test_a_certificate_is_for_its_guard(guarded: World) -> None:
    other = build_set(guarded.anvil, guarded.artifacts, salt=9)
    mint(guarded.anvil, TOKEN, other.safe)
    other.grant_standing(MERCHANT.address)
    with other.moves():
        for_ours = other.transfer(MERCHANT.address, CERTIFIED_FROM)
        assert other.execute(for_ours, guarded.tail(for_ours)) == "InvalidSignature"
        # The same Safe, transaction and validators: only the guard in the domain is another.
        order = other.committee.order(other.safe, for_ours, valid_until=other.now() + 600)
        assert other.execute(for_ours, guarded.committee.tail(order)) == "InvalidSignature"
        pausing = calldata(
            "pauseByGuardians(uint64,bytes)", 1, guarded.committee.guardian_signatures(Pause(1, FOREVER))
        )
        assert other.send(other.at("EmergencyBrake"), pausing) in ("NotAGuardian", "OutOfOrder")
        order_of_payee = RegisterPayee(other.safe, MERCHANT.address)
        registering = calldata(
            "registerByAttesters(address,address,bytes)",
            hexed(other.safe),
            hexed(MERCHANT.address),
            guarded.committee.attester_signatures(order_of_payee),
        )
        assert other.send(other.at("PayoutModule"), registering) in ("NotAnAttester", "OutOfOrder")
    with other.moves(safe=-CERTIFIED_FROM, merchant=CERTIFIED_FROM):
        assert other.execute(for_ours, other.committee.tail(order)) == ACCEPTED


# Another nonce, another Safe, twice


def test_a_certificate_is_for_its_nonce(guarded: World) -> None:
    now = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    later = replace(now, nonce=now.nonce + 1)
    with guarded.moves():
        assert guarded.execute(now, guarded.tail(later)) == "InvalidSignature"
    tail = guarded.tail(now)
    with guarded.moves(safe=-CERTIFIED_FROM, merchant=CERTIFIED_FROM):
        assert guarded.execute(now, tail) == ACCEPTED
        assert guarded.execute(now, tail) == "GS026"
        assert guarded.execute(later, tail) == "InvalidSignature"


def test_a_certificate_is_for_its_safe(guarded: World) -> None:
    """Of the same owners in the same group, at the same nonce."""
    safe = guarded.another_safe(group=guarded.group)
    admitting = SafeTransaction(
        guarded.at("TransferGuard"), 0, calldata("admit(address)", hexed(safe)), guarded.nonce()
    )
    assert guarded.execute(admitting) == ACCEPTED
    mint(guarded.anvil, TOKEN, safe)
    other = replace(guarded, safe=safe)
    cancel = SafeTransaction(safe, 0, b"", 0)
    assert other.execute(cancel) == ACCEPTED
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    assert transfer.nonce == other.nonce()
    with guarded.moves(), other.moves():
        assert other.execute(transfer, guarded.tail(transfer)) == "InvalidSignature"
        tx_hash = transfer.hash(guarded.committee.domain.chain_id, guarded.safe)
        signatures = guarded.committee.owner_signatures(tx_hash)
        assert other.execute(transfer, guarded.tail(transfer), signatures) == "GS026"


def test_an_announcement_counts_once(guarded: World) -> None:
    guard = guarded.at("TransferGuard")
    base = guarded.transfer(MERCHANT.address, NOTICE_FROM)
    coming = replace(base, nonce=base.nonce + 1)
    tx_hash = coming.hash(guarded.committee.domain.chain_id, guarded.safe)
    assert guarded.by_owners(guard, "announce(bytes32)", tx_hash) == ACCEPTED
    guarded.later(DAY)
    with guarded.moves(safe=-NOTICE_FROM, merchant=NOTICE_FROM):
        assert guarded.execute(coming, guarded.tail(coming)) == ACCEPTED
        again = replace(coming, nonce=coming.nonce + 1)
        assert guarded.execute(again, guarded.tail(again)) == "NotAnnounced"


# Reorganisations


def test_a_dropped_transfer_does_not_land_after_another_hash_took_its_nonce(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = guarded.tail(transfer)
    with guarded.moves():
        assert guarded.execute(transfer, tail) == ACCEPTED
        acts.drop_last_block(guarded)
        assert guarded.nonce() == transfer.nonce
        assert guarded.execute(SafeTransaction(guarded.safe, 0, b"", transfer.nonce)) == ACCEPTED
        assert guarded.execute(transfer, tail) == "GS026"
        # Nor with fresh signatures of the owners for the next nonce.
        assert guarded.execute(replace(transfer, nonce=transfer.nonce + 1), tail) == "InvalidSignature"


def test_a_dropped_transfer_lands_again_once(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = guarded.tail(transfer)
    with guarded.moves(safe=-CERTIFIED_FROM, merchant=CERTIFIED_FROM):
        assert guarded.execute(transfer, tail) == ACCEPTED
        acts.drop_last_block(guarded)
        assert guarded.balance(MERCHANT.address) == 0
        assert guarded.execute(transfer, tail) == ACCEPTED
        assert guarded.execute(transfer, tail) == "GS026"


def test_a_dropped_transfer_does_not_land_after_its_certificate_expired(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = guarded.tail(transfer)
    with guarded.moves():
        assert guarded.execute(transfer, tail) == ACCEPTED
        acts.drop_last_block(guarded)
        guarded.later(HOUR)
        assert guarded.execute(transfer, tail) == "CertificateExpired"
        # Without it the same signatures of the owners are for too much.
        assert guarded.execute(transfer) == "CertificateNeeded"


def test_a_dropped_small_transfer_fills_the_bucket_once_it_lands_and_not_twice(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM - 1)
    with guarded.moves(safe=1 - CERTIFIED_FROM, merchant=CERTIFIED_FROM - 1):
        assert guarded.execute(transfer) == ACCEPTED
        acts.drop_last_block(guarded)
        assert guarded.execute(transfer) == ACCEPTED
        assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM - 1)) == "BucketExceeded"


@admits(Stolen.NOTHING)
def test_domains_differ_by_chain_and_by_guard(guarded: World) -> None:
    message = Pause(1, FOREVER)
    guard = guarded.at("TransferGuard")
    digests = {
        message.digest(settlement_domain(chain_id, address))
        for chain_id in (31337, 84532)
        for address in (guard, Committee.of(4).domain.verifying_contract)
    }
    assert len(digests) == 4
    assert guarded.balance(guarded.safe) == FUNDS
