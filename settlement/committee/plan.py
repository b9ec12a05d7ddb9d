"""What `lockgate contracts` is told of the committee: the file of the set, and that of its first guarded Safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.chain.addresses import SAFE_SINGLETON
from kit.chain.artifacts import Artifacts
from settlement.committee.members import Committee
from verification.signatures.bls import BLS, key_to_evm, signature_to_evm
from verification.signatures.eip712 import keccak

USD = 10**6
HOUR = 3600
DAY = 24 * HOUR

# Whatever somebody at a local stack has to wait for takes seconds. In production: rotation, notice and payees 24 h,
# changes and the vault's owners 48 h, the end of a pause 1 h, limits at a tenth after it 24 h; recovery, exit, new
# guardians and a vault without its owners 14 days.
LOCAL_WAIT = 15
LOCAL_LONG_WAIT = 45

# What nobody waits for is as in production.
ACTION_WINDOW = 7 * DAY
STANDING_MOST = 7 * DAY
SENTINEL_PAUSE = 6 * HOUR
SENTINEL_KEY = 30 * DAY

DAILY = 50_000 * USD
CERTIFIED_FROM = 10_000 * USD
"""The floor of the high tier (verification/tiers.py), in the token's smallest unit."""
NOTICE_FROM = 1_000_000 * USD

NO_MODEL = "0x" + "00" * 32
"""No risk model is governed yet."""


def settlement_plan(committee: Committee, artifacts: Artifacts) -> dict[str, Any]:
    """The file of `lockgate contracts deploy-settlement`. Raises ArtifactError."""
    proxy = artifacts.safe_creation("proxies/SafeProxy")
    proxy_code = artifacts.safe_runtime("proxies/SafeProxy")
    sentinel = {"key": committee.sentinel.address, "expires": committee.sentinel_expires}
    return {
        "salt": "0x" + "00" * 32,
        "contracts": {
            "CertificateVerifier": {},
            "ValidatorRegistry": {
                "delays": {"rotation": LOCAL_WAIT, "recovery": LOCAL_LONG_WAIT},
                "keys": "0x" + b"".join(key_to_evm(each.public_key) for each in committee.validators).hex(),
                "proofs": [
                    "0x" + signature_to_evm(BLS.prove_possession(each.secret)).hex() for each in committee.validators
                ],
            },
            "Actions": {"window": ACTION_WINDOW},
            "Guardians": {"guardians": committee.guardians.addresses, "threshold": committee.guardians.threshold},
            "Governor": {"delays": {"change": LOCAL_WAIT, "guardians": LOCAL_LONG_WAIT}, "modelHash": NO_MODEL},
            "StandingRegistry": {
                "maxValidity": STANDING_MOST,
                "attesters": committee.attesters.addresses,
                "threshold": committee.attesters.threshold,
            },
            "EmergencyBrake": {
                "delays": {
                    "sentinelPause": SENTINEL_PAUSE,
                    "sentinelKey": SENTINEL_KEY,
                    "ending": LOCAL_WAIT,
                    "reduced": LOCAL_LONG_WAIT,
                },
                "sentinels": [sentinel],
            },
            "ColdVault": {
                "delays": {"owners": LOCAL_WAIT, "guardians": LOCAL_LONG_WAIT},
                "owners": committee.vault_owners.addresses,
                "threshold": committee.vault_owners.threshold,
            },
            "TransferGuard": {
                "delays": {"notice": LOCAL_WAIT, "exit": LOCAL_LONG_WAIT},
                "code": {"singleton": SAFE_SINGLETON, "proxyCodehash": "0x" + keccak(proxy_code).hex()},
            },
            "PayoutModule": {"payeeDelay": LOCAL_WAIT},
            "Evacuator": {},
            "GuardedSafeFactory": {"safeSingleton": SAFE_SINGLETON, "proxyCreationCode": "0x" + proxy.hex()},
        },
    }


def treasury_plan(owners: Sequence[str], threshold: int, token: str) -> dict[str, Any]:
    """The file of `lockgate contracts create-safe`: a Safe that begins a group of its own."""
    limits = {"daily": str(DAILY), "certifiedFrom": str(CERTIFIED_FROM), "noticeFrom": str(NOTICE_FROM)}
    return {
        "owners": list(owners),
        "threshold": threshold,
        "group": "0x" + "00" * 32,
        "tokens": {token: limits},
        "salt": "0",
    }
