"""`lockgate demo` as `make demo` runs it, and its large transfers on a stack that goes on running."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from gateway.demo import guarded
from gateway.demo.guarded import LARGE, SMALL, Files, Guarded, Unexpected
from kit.chain.abi import calldata
from kit.chain.rpc import Rpc
from kit.stack import Stack
from kit.stack.rundir import RunDir, is_free
from kit.stack.services import ARTIFACTS, lockgate

pytestmark = pytest.mark.system

HASH = "0x[0-9a-f]{64}"
STEPS = (
    rf"25 payments of 0\.001000 USDC(.|\n)*3 vouchers|{HASH}",
    rf"exact: 3 payments of 0\.001000 USDC, one transfer on chain each\n(  {HASH} .*\n){{3}}",
    rf"  claim  {HASH} .*\n  settle {HASH} ",
    r"the merchant's treasury Safe holds 0\.028000 USDC",
    rf"  {HASH} \(.* gas\): 0\.005000 USDC back to the payer",
    r"guarded Safe: the treasury 0x[0-9a-f]{40}, 2 owners sign",
    rf"2,500\.000000 USDC to that account, without a certificate\n    {HASH} \([\d,]+ gas\) in [\d.]+ s",
    r"22,500\.000000 USDC may leave without a certificate now",
    rf"12,500\.000000 USDC to it, without a certificate\n    refused: CertificateNeeded; {HASH} reverted",
    r"3 of 4 validators certify it, in [\d.]+ ms",
    rf"the same with the certificate\n    {HASH} \([\d,]+ gas\) in [\d.]+ s",
    rf"the same certificate again, the owners sign anew\n    refused: InvalidSignature; {HASH} reverted",
    r"books balance: ",
    r"nothing is left running\n$",
)
"""What the demo says, in this order."""


def test_the_demo_ends_well_and_says_what_it_did_in_order(run_dirs: Path) -> None:
    run_dir = run_dirs / "demo"
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOCKGATE_")}
    words = lockgate("demo", "--run-dir", str(run_dir))
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    place = 0
    for step in STEPS:
        found = re.compile(step).search(done.stdout, place)
        assert found, f"{step} is not said, or too early\n{done.stdout}"
        place = found.end()
    assert is_free(RunDir(run_dir))


def raw(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))


def balances(stack: Stack, rpc: Rpc) -> list[int]:
    """Of the treasury and of the account with standing."""
    chain, merchant = stack.info["chain"], stack.info["accounts"]["merchant"]["address"]
    token, holders = raw(chain["token"]["address"]), (chain["treasury_safe"], merchant)
    calls = [(token, calldata("balanceOf(address)", raw(holder))) for holder in holders]
    return [int.from_bytes(answer, "big") for answer in rpc.call_many(calls)]


def large_transfers(stack: Stack, said: list[str]) -> Guarded:
    return Guarded(stack.info, Files(stack.run.settlement_json, stack.committee.keys, ARTIFACTS), said.append, str)


def test_large_transfers_move_to_the_unit_what_they_say(stack: Stack) -> None:
    rpc = Rpc(stack.info["chain"]["rpc_url"])
    before = balances(stack, rpc)
    said: list[str] = []
    guarded_safe = large_transfers(stack, said)
    block = guarded_safe.show()
    guarded_safe.close()
    after = balances(stack, rpc)
    assert after[1] - before[1] == SMALL + LARGE
    assert after[0] - before[0] == guarded.DEPOSIT - SMALL - LARGE
    hashes = re.findall(HASH, "\n".join(said))
    receipts = [rpc.receipt(raw(each)) for each in hashes]
    assert [receipt is not None and receipt.succeeded for receipt in receipts] == [
        True,
        True,
        True,
        False,
        True,
        False,
    ]
    assert receipts[-1] is not None
    assert receipts[-1].block_number == block
    rpc.close()


def test_a_guard_that_lets_too_much_pass_fails_the_demo(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer that needs no certificate stands for a guard that asks for none."""
    monkeypatch.setattr(guarded, "LARGE", 1_000 * guarded.USD)
    guarded_safe = large_transfers(stack, [])
    with pytest.raises(Unexpected, match="without a certificate"):
        guarded_safe.show()
    guarded_safe.close()
