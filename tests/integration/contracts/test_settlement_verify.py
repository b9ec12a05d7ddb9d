"""What `contracts verify` sees: code, constructors, and every stored value, each by its name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from kit.chain.abi import signature_of
from kit.chain.addresses import SAFE_SINGLETON
from kit.chain.anvil import Anvil
from kit.chain.circle import Circle, Plan, PlanError
from kit.chain.rpc import hexed
from kit.chain.settlement import DEPLOYER, LAPSING, NEIGHBOURS, differences_of
from kit.stack.paths import CONTRACTS
from tests.integration.contracts.conftest import account, anvil_node
from tests.integration.contracts.settlement_set import ARTIFACTS, DAY, addresses, run, stated_set
from tests.support.committee import Account, Committee
from verification.signatures.messages import Rearm, Rotate

PEOPLE = Committee.of(4)
RELAY = account("relay of a verification")
GROUP = "0x" + "00" * 12 + "ab" * 20
TOKEN = "0x" + "cd" * 20
KEY = "0x" + "ef" * 20


class Chain:
    """A local Anvil with the set on it."""

    def __init__(self, url: str, anvil: Anvil) -> None:
        self.url = url
        self.anvil = anvil
        anvil.place(SAFE_SINGLETON, anvil.runtime_code(ARTIFACTS.safe_creation("Safe")))
        for name in (DEPLOYER, RELAY.address):
            anvil.fund(name, 10**21)
        values = stated_set(anvil, ARTIFACTS, PEOPLE, SAFE_SINGLETON)
        self.plan = Plan(bytes(32), values, NEIGHBOURS, LAPSING)
        self.circle = Circle(anvil, ARTIFACTS, self.plan, DEPLOYER)
        self.circle.deploy()
        self.people = Committee.of(4, guard=bytes.fromhex(self.circle.addresses["TransferGuard"][2:]))

    def send(self, contract: str, signature: str, *values: Any, sender: str = RELAY.address) -> None:
        types = signature[signature.index("(") + 1 : -1]
        data = bytes(keccak(text=signature)[:4]) + encode(split(types), values)
        self.anvil.fund(sender, 10**21)
        self.anvil.wait_mined(self.anvil.send_as(sender, self.circle.addresses[contract], data))

    def as_governor(self, contract: str, signature: str, *values: Any) -> None:
        """What a governed change does at its end."""
        self.send(contract, signature, *values, sender=self.circle.addresses["Governor"])

    def later(self, seconds: int) -> None:
        self.anvil.request("evm_increaseTime", seconds)
        self.anvil.request("evm_mine")

    def differences(self, plan: Plan | None = None) -> list[str]:
        circle = Circle(self.anvil, ARTIFACTS, plan or self.plan, DEPLOYER)
        return [f"{each.contract}: {each.what}" for each in differences_of(circle)]

    def with_value(self, contract: str, **values: Any) -> Plan:
        return replace(self.plan, values={**self.plan.values, contract: {**self.plan.values[contract], **values}})


def split(types: str) -> list[str]:
    """The types at the top level."""
    found, depth = [""], 0
    for letter in types:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with anvil_node(tmp_path_factory.mktemp("verify") / "log") as url, Anvil(url) as anvil:
        yield Chain(url, anvil)


@pytest.fixture
def chain(shared: Chain) -> Iterator[Chain]:
    """The set as it was deployed; what a test does to it is undone."""
    snapshot = shared.anvil.request("evm_snapshot")
    yield shared
    assert shared.anvil.request("evm_revert", snapshot)


def test_as_deployed_nothing_differs_and_neither_when_the_sentinel_has_lapsed(chain: Chain) -> None:
    assert chain.differences() == []
    chain.later(40 * DAY)
    assert chain.differences() == []


STATED = [
    (
        "ValidatorRegistry",
        {"delays": {"rotation": 1, "recovery": 14 * DAY}},
        "rotationDelay is 86400, the file states 1",
    ),
    (
        "ValidatorRegistry",
        {"delays": {"rotation": DAY, "recovery": 1}},
        "recoveryDelay is 1209600, the file states 1",
    ),
    ("Actions", {"window": 1}, "window is 604800, the file states 1"),
    ("Governor", {"delays": {"change": 1, "guardians": 14 * DAY}}, "changeDelay is 172800, the file states 1"),
    ("Governor", {"delays": {"change": 2 * DAY, "guardians": 1}}, "guardiansDelay is 1209600, the file states 1"),
    ("Governor", {"modelHash": "0x" + "44" * 32}, f"modelHash is 0x{'33' * 32}, the file states 0x{'44' * 32}"),
    ("StandingRegistry", {"maxValidity": 1}, "maxValidity is 604800, the file states 1"),
    ("StandingRegistry", {"threshold": 3}, "threshold is 2, the file states 3"),
    ("ColdVault", {"delays": {"owners": 1, "guardians": 14 * DAY}}, "ownersDelay is 172800, the file states 1"),
    ("ColdVault", {"delays": {"owners": 2 * DAY, "guardians": 1}}, "guardiansDelay is 1209600, the file states 1"),
    ("ColdVault", {"threshold": 3}, "threshold is 2, the file states 3"),
    ("ColdVault", {"owners": addresses(PEOPLE.guardians)}, "owners is ("),
    ("Guardians", {"threshold": 4}, "threshold is 3, the file states 4"),
    ("Guardians", {"guardians": addresses(PEOPLE.guardians[:4])}, "members is ("),
    (
        "TransferGuard",
        {"delays": {"notice": 1, "exit": 14 * DAY}},
        "delays is 86400, 1209600, the file states 1, 1209600",
    ),
    ("TransferGuard", {"code": {"singleton": TOKEN, "proxyCodehash": "0x" + "00" * 32}}, "safeCode is 0x"),
    ("PayoutModule", {"payeeDelay": 1}, "payeeDelay is 86400, the file states 1"),
    ("GuardedSafeFactory", {"safeSingleton": TOKEN}, "safeSingleton is 0x"),
    (
        "GuardedSafeFactory",
        {"proxyCreationCode": "0x00"},
        "the proxy's creation code that it keeps is not the file's",
    ),
]


@pytest.mark.parametrize(("contract", "values", "said"), STATED)
def test_another_value_than_the_constructors_is_named(
    chain: Chain, contract: str, values: dict[str, Any], said: str
) -> None:
    found = chain.differences(chain.with_value(contract, **values))
    assert {each.split(":")[0] for each in found} == {contract}
    assert any(said in each for each in found), found
    assert any("constructor call" in each or "is not the file's" in each for each in found), found


BRAKE = {"sentinelPause": DAY // 4, "sentinelKey": 30 * DAY, "ending": 3600, "reduced": DAY}


@pytest.mark.parametrize(
    ("name", "getter"),
    [("sentinelPause", "sentinelPause"), ("sentinelKey", "sentinelKey"), ("ending", "endingDelay"),
     ("reduced", "reducedDelay")],
)  # fmt: skip
def test_another_delay_of_the_brake_is_named(chain: Chain, name: str, getter: str) -> None:
    found = chain.differences(chain.with_value("EmergencyBrake", delays={**BRAKE, name: 1}))
    assert f"EmergencyBrake: {getter} is {BRAKE[name]}, the file states 1" in found


def test_another_neighbour_is_named(chain: Chain) -> None:
    found = chain.differences(chain.with_value("Evacuator", neighbours={"vault": TOKEN}))
    vault = chain.circle.addresses["ColdVault"].lower()
    assert f"Evacuator: vault is {vault}, the file states {TOKEN}" in found
    found = chain.differences(chain.with_value("GuardedSafeFactory", evacuator=TOKEN))
    evacuator = chain.circle.addresses["Evacuator"].lower()
    assert f"GuardedSafeFactory: its set-up's evacuator is {evacuator}, the file states {TOKEN}" in found
    found = chain.differences(chain.with_value("TransferGuard", neighbours={"brake": TOKEN}))
    assert any(each.startswith("TransferGuard: neighbours is ") for each in found)


def test_another_validator_is_named_by_its_place(chain: Chain) -> None:
    keys = bytearray(b"".join(validator.evm_key for validator in PEOPLE.validators))
    keys[3 * 128 + 127] ^= 1
    found = chain.differences(chain.with_value("ValidatorRegistry", keys=hexed(bytes(keys))))
    assert "ValidatorRegistry: of the keys of epoch 1 (4, the file states 4), those at 3 are not the file's" in found


def test_members_that_were_replaced_are_told_as_changed(chain: Chain) -> None:
    fewer = addresses(PEOPLE.guardians[:3])
    chain.as_governor("Guardians", "replace(address[],uint256)", fewer, 2)
    chain.as_governor("StandingRegistry", "replaceAttesters(address[],uint256)", fewer, 3)
    found = chain.differences()
    assert [each.split(" is ")[0] for each in found] == [
        "Guardians: changed since: members",
        "Guardians: changed since: threshold",
        "StandingRegistry: changed since: attesters",
        "StandingRegistry: changed since: threshold",
    ]
    told = {
        "Guardians": {"guardians": fewer, "threshold": 2},
        "StandingRegistry": {"attesters": fewer, "threshold": 3},
    }
    assert chain.differences(replace(chain.plan, changed=told)) == []


@pytest.mark.parametrize(("contract", "name"), [("ColdVault", "owners"), ("Governor", "delays"), ("Nobody", "keys")])
def test_what_the_protocol_never_changes_is_not_stated_as_changed(chain: Chain, contract: str, name: str) -> None:
    with pytest.raises(PlanError, match=f"changed.{contract}.{name} is nothing that the protocol changes"):
        chain.differences(replace(chain.plan, changed={contract: {name: []}}))


def test_another_model_is_told_as_changed(chain: Chain) -> None:
    chain.anvil.store(chain.circle.addresses["Governor"], 1, 5)
    [found] = chain.differences()
    assert found.startswith(f"Governor: changed since: modelHash is 0x{'00' * 31}05, the file states 0x3333")


def test_another_epoch_is_told_as_changed_with_its_keys(chain: Chain) -> None:
    successors = Committee.of(4, epoch=2)
    keys = b"".join(validator.evm_key for validator in successors.validators)
    for validator in successors.validators:
        chain.send("ValidatorRegistry", "prove(bytes,bytes)", validator.evm_key, validator.proof)
    assert chain.differences() == []
    rotate = Rotate(2, keccak(keys), chain.anvil.time_of("latest") + DAY + 60)
    chain.send(
        "ValidatorRegistry",
        "scheduleRotation((uint64,bytes32,uint64),bytes,bytes)",
        (rotate.new_epoch, rotate.keys_hash, rotate.not_before),
        keys,
        chain.people.quorum_signature(rotate),
    )
    chain.later(DAY + 120)
    chain.send("ValidatorRegistry", "startEpoch(uint64,bytes)", 1, keys)
    assert chain.differences() == [
        "ValidatorRegistry: changed since: the epoch is 2, the file states 1",
        "ValidatorRegistry: changed since: of the keys of epoch 2 (4, the file states 4), "
        "those at 0, 1, 2, 3 are not the file's",
    ]
    told = replace(chain.plan, changed={"ValidatorRegistry": {"epoch": 2, "keys": hexed(keys)}})
    assert chain.differences(told) == []


def test_a_sentinel_that_was_revoked_or_added_is_told(chain: Chain) -> None:
    sentinel = hexed(PEOPLE.sentinel.address)
    until = chain.plan.values["EmergencyBrake"]["sentinels"][0]["expires"]
    guardian = hexed(PEOPLE.guardians[0].address)
    chain.send("EmergencyBrake", "revokeSentinel(address)", sentinel, sender=guardian)
    gone = f"EmergencyBrake: changed since: sentinel {sentinel} is not armed, the file states armed until {until}"
    assert chain.differences() == [gone]
    other = Account("another sentinel")
    rearm = Rearm(other.address, chain.anvil.time_of("latest") + DAY)
    signatures = chain.people.guardian_signatures(rearm)
    chain.send("EmergencyBrake", "rearm(address,uint64,bytes)", hexed(other.address), rearm.expires, signatures)
    armed = (
        f"EmergencyBrake: changed since: sentinel {hexed(other.address)} is armed until {rearm.expires}, "
        "the file states not armed"
    )
    assert sorted(chain.differences()) == sorted([gone, armed])
    sentinels = [{"key": hexed(other.address), "expires": rearm.expires}]
    told = replace(chain.plan, changed={"EmergencyBrake": {"sentinels": sentinels}})
    assert chain.differences(told) == []
    sentinels.append({"key": KEY, "expires": rearm.expires})
    never = f"EmergencyBrake: changed since: sentinel {KEY} is not armed, the file states armed until {rearm.expires}"
    assert chain.differences(told) == [never]
    chain.later(2 * DAY)
    assert chain.differences() == [gone], "its key has lapsed"


def test_limits_payout_key_and_policy_of_a_stated_group(chain: Chain) -> None:
    limits = {"daily": "1000", "certifiedFrom": "400", "noticeFrom": "900"}
    stated = replace(chain.plan, groups={GROUP: {"limits": {TOKEN: limits}, "payoutKey": KEY}})
    group = bytes.fromhex(GROUP[2:])
    set_limits = signature_of(ARTIFACTS, "TransferGuard", "function", "setLimits")
    assert chain.differences(stated) == [
        f"TransferGuard: changed since: limits of {GROUP} for {TOKEN} are 0/0/0, the file states 1000/400/900",
        f"PayoutModule: changed since: payoutKeyOf of {GROUP} is 0x{'00' * 20}, the file states {KEY}",
    ]
    chain.as_governor("TransferGuard", set_limits, group, TOKEN, (1000, 400, 900))
    chain.as_governor("PayoutModule", "setPayoutKey(bytes32,address)", group, KEY)
    assert chain.differences(stated) == []
    assert chain.differences() == [], "a group that is not stated is not looked at"
    chain.as_governor("TransferGuard", set_limits, group, KEY, (1, 2, 3))
    assert chain.differences(stated) == [
        f"TransferGuard: changed since: limits of {GROUP} for {KEY} are 1/2/3, the file states 0/0/0"
    ]


@pytest.mark.parametrize(
    "group", [{"limit": {}}, [], {"limits": {TOKEN: {"daily": 1}}}, {"limits": {TOKEN: dict.fromkeys("abc", 1)}}]
)
def test_a_group_that_is_not_stated_well_is_refused(chain: Chain, group: Any) -> None:
    with pytest.raises(PlanError, match=GROUP):
        chain.differences(replace(chain.plan, groups={GROUP: group}))


def returning(runtime: bytes, slots: Sequence[tuple[int, int]]) -> bytes:
    """Creation code of somebody's own: it stores what it likes and leaves code that is beyond doubt."""
    stores = b"".join(
        b"\x7f" + value.to_bytes(32, "big") + b"\x60" + bytes([slot]) + b"\x55" for slot, value in slots
    )
    size = len(runtime).to_bytes(2, "big")
    start = (len(stores) + 14).to_bytes(2, "big")
    return stores + b"\x61" + size + b"\x61" + start + b"\x5f\x39\x61" + size + b"\x5f\xf3" + b"\0" + runtime


def test_storage_that_no_constructor_of_ours_wrote_is_found(tmp_path: Path) -> None:
    """The code is the file's to the byte; the deployer's own constructor had begun with an action of its own."""
    with anvil_node(tmp_path / "log") as url, Anvil(url) as anvil:
        plan = Plan(bytes(32), {"Actions": {"neighbours": dict.fromkeys(NAMES, TOKEN), "window": 7 * DAY}}, {})
        circle = Circle(anvil, ARTIFACTS, plan, DEPLOYER)
        anvil.fund(DEPLOYER, 10**21)
        address = circle.addresses["Actions"]
        rogue = returning(anvil.runtime_code_at(address, circle.codes["Actions"]), [(0, 77)])
        anvil.wait_mined(anvil.send_as(DEPLOYER, CREATE2, bytes(32) + ARTIFACTS.creation("Create3Deployer")))
        call = keccak(text="deploy(bytes32,bytes)")[:4] + encode(
            ["bytes32", "bytes"], [circle.salt_of("Actions"), rogue]
        )
        anvil.wait_mined(anvil.send_as(DEPLOYER, circle.factory, call))
        assert int.from_bytes(anvil.call(address, keccak(text="last()")[:4]), "big") == 77
        assert circle.verify() == [], "the code says nothing of it"
        [found] = differences_of(circle)
        assert found.contract == "Actions"
        assert found.what.endswith("created it by another constructor call than the file's")


def test_a_creation_that_no_log_tells_of_is_a_difference(chain: Chain) -> None:
    chain.anvil.request("evm_mine")
    head = chain.anvil.head()
    found = differences_of(chain.circle, head, from_block=head)
    why = f"no log of block {head} or later says how it was created"
    assert [each.contract for each in found if each.what == why] == list(chain.plan.names)


CREATE2 = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
NAMES = ("guard", "verifier", "guardians", "registry", "governor", "vault")


def test_other_code_is_told_once_and_ends_nothing(chain: Chain) -> None:
    for name in chain.plan.names:
        chain.anvil.request("anvil_setCode", chain.circle.addresses[name], "0x5f5ffd")
    found = chain.differences()
    told = [each for each in found if each.endswith("is not the file's") and "the code at" in each]
    assert [each.split(":")[0] for each in told] == list(chain.plan.names)
    assert "ValidatorRegistry: it names no epoch" in found
    assert "Guardians: changed since: threshold is no answer, the file states 3" in found


@pytest.mark.parametrize("chain_id", [31337, 84532])
def test_the_command_on_a_local_chain_takes_short_delays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], chain_id: int
) -> None:
    with anvil_node(tmp_path / "log", "--chain-id", str(chain_id)) as url, Anvil(url) as anvil:
        values = stated_set(anvil, ARTIFACTS, PEOPLE, SAFE_SINGLETON)
        values["Governor"]["delays"] = {"change": 1, "guardians": 1}
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps({"salt": "0x" + "00" * 32, "contracts": values}))
        words = ["--rpc", url, "--plan", str(plan), "--artifacts", str(CONTRACTS / "artifacts")]
        assert run(capsys, "verify", *words).code == 1
        assert run(capsys, "deploy-settlement", *words, "--out", str(tmp_path / "out.json")).code == 0
        verified = run(capsys, "verify", *words)
        assert (verified.code, verified.err) == (0, "")
        assert "are the file's at block" in verified.out
        values["Governor"]["delays"] = {"change": 2, "guardians": 1}
        plan.write_text(json.dumps({"salt": "0x" + "00" * 32, "contracts": values}))
        wrong = run(capsys, "verify", *words)
        assert wrong.code == 1
        assert "Governor: changeDelay is 1, the file states 2\n" in wrong.err
