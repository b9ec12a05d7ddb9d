"""Registry and verifier on a real node, and their answers by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak

from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import Artifacts
from tests.integration.contracts.channels import calldata
from tests.integration.contracts.conftest import account
from tests.integration.contracts.quorum_reference import Committee

ACCEPTED = "accepted"
FIRST_EPOCH = 1
# A refused pairing takes all the gas that it is given, so a call gets no more than a transaction would bring.
CALL_GAS = 400_000
_NOBODY = "0x" + "11" * 20
_DAY = 86_400
_ERRORS = {
    keccak(text=signature)[:4].hex(): signature.partition("(")[0]
    for signature in (
        "WrongEpoch(uint64,uint64)",
        "MalformedSignature()",
        "UnknownValidator()",
        "BelowQuorum(uint256,uint256)",
        "InfinityPoint()",
        "InvalidSignature()",
        "InvalidProof()",
        "KeysNotAscending()",
        "PrecompileFailed(uint256)",
    )
}


@dataclass(frozen=True, slots=True)
class Quorum:
    """A registry, whose neighbours are not there, and the verifier that asks it."""

    anvil: Anvil
    registry: str
    verifier: str

    def verify(self, digest: bytes, quorum_signature: bytes, epoch: int = FIRST_EPOCH) -> str:
        """ACCEPTED or the error's name."""
        return self._answer(self.verifier, verify_call(digest, quorum_signature, epoch))

    def prove(self, key: bytes, proof: bytes) -> str:
        """ACCEPTED or the error's name; the chain is left as it was."""
        return self._answer(self.registry, calldata("prove(bytes,bytes)", ["bytes", "bytes"], [key, proof]))

    def _answer(self, to: str, data: bytes) -> str:
        try:
            self.anvil.request("eth_call", {"to": to, "data": "0x" + data.hex(), "gas": hex(CALL_GAS)}, "latest")
        except ChainError as error:
            return error_name(error)
        return ACCEPTED


def verify_call(digest: bytes, quorum_signature: bytes, epoch: int = FIRST_EPOCH) -> bytes:
    types = ["bytes32", "uint64", "bytes"]
    return calldata(f"verify({','.join(types)})", types, [digest, epoch, quorum_signature])


def error_name(error: ChainError) -> str:
    """Raises the error again when it is none of the contracts'."""
    found = re.search(r"custom error 0x([0-9a-f]{8})", str(error))
    if found is None:
        raise error
    return _ERRORS[found[1]]


def deploy_quorum(anvil: Anvil, artifacts: Artifacts, committee: Committee) -> Quorum:
    registry = create(anvil, registry_creation(artifacts, committee.keys, committee.proofs))
    verifier = create(anvil, artifacts.creation("CertificateVerifier", ["address"], [registry]))
    return Quorum(anvil, registry, verifier)


def registry_creation(artifacts: Artifacts, keys: bytes, proofs: Sequence[bytes]) -> bytes:
    types = ["(address,address,address,address)", "(uint64,uint64)", "bytes", "bytes[]"]
    values = [(_NOBODY, _NOBODY, _NOBODY, _NOBODY), (_DAY, 14 * _DAY), keys, proofs]
    return artifacts.creation("ValidatorRegistry", types, values)


def gas_used(anvil: Anvil, to: str, data: bytes) -> int:
    """Of a transaction that succeeds; its receipt's."""
    sender = account("quorum deployer").address
    anvil.fund(sender, 10**20)
    transaction = anvil.send_as(sender, to, data)
    anvil.wait_mined(transaction)
    return int(anvil.request("eth_getTransactionReceipt", transaction)["gasUsed"], 16)


def create(anvil: Anvil, creation: bytes) -> str:
    """The new contract's address. Raises ChainError."""
    sender = account("quorum deployer").address
    anvil.fund(sender, 10**20)
    anvil.request("anvil_impersonateAccount", sender)
    transaction = anvil.request("eth_sendTransaction", {"from": sender, "data": "0x" + creation.hex()})
    anvil.wait_mined(transaction)
    return str(anvil.request("eth_getTransactionReceipt", transaction)["contractAddress"])
