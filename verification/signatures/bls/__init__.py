"""BLS12-381 signatures of validators: `BLS` is the backend that runs, `reference.PyEccBackend` the one it equals."""

from __future__ import annotations

from verification.signatures.bls.backend import PROOF_SUITE, SIGNATURE_SUITE, Backend
from verification.signatures.bls.fast import BlstBackend
from verification.signatures.bls.keys import SecretKey, generate
from verification.signatures.bls.points import (
    MalformedPoint,
    key_from_evm,
    key_to_evm,
    signature_from_evm,
    signature_to_evm,
)

BLS: Backend = BlstBackend()

__all__ = [
    "BLS",
    "PROOF_SUITE",
    "SIGNATURE_SUITE",
    "Backend",
    "MalformedPoint",
    "SecretKey",
    "generate",
    "key_from_evm",
    "key_to_evm",
    "signature_from_evm",
    "signature_to_evm",
]
