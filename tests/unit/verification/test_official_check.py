"""Whatever we approve, the official facilitator package approves; where it is laxer, the difference has a name."""

from __future__ import annotations

from enum import Enum

from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st
from x402.mechanisms.evm.batch_settlement.facilitator.utils import (
    validate_channel_config,
    verify_batch_settlement_voucher_typed_data,
)
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig as OfficialConfig
from x402.schemas import PaymentRequirements

from tests.support.vouchers import CURVE_ORDER, DOMAIN, PayerChannel, Signer, compact, payer_channel, with_high_s
from verification.check import decide
from verification.compliance.sanctions import SanctionsList
from verification.risk.cheap import CheapRiskFacts
from verification.signatures.eip712 import ChannelConfig, channel_id
from verification.tiers import TierPolicy, checks_for
from verification.vouchers import VoucherFacts

RECEIVER = Signer("receiver").address
POLICY = TierPolicy(10_000_000, 10_000_000_000, 10_000_000, 86_400)
NOBODY = SanctionsList(frozenset(), "")
CLEAR = CheapRiskFacts(False, False, False, False)


class Stricter(Enum):
    """Why we may refuse what the official check approves."""

    HIGH_S = "s above half the order"
    HIGH_V = "v of 35 or more"
    NOT_65_BYTES = "another length than 65 bytes"


def ours(channel: PayerChannel, maximum: int, signature: bytes, authorizer: bytes) -> bool:
    facts = VoucherFacts(
        domain=channel.domain,
        channel_id=channel.channel_id,
        payer=channel.config.payer,
        payer_authorizer=authorizer,
        receiver=channel.config.receiver,
        amount=1,
        max_claimable=maximum,
        signature=signature,
        window_most=POLICY.window_most,
        sanctions=NOBODY,
        risk=CLEAR,
    )
    return decide(checks_for(1, POLICY), facts).approves


def official(channel: PayerChannel, maximum: int, signature: bytes, authorizer: bytes) -> bool:
    class NoChain:
        """Every way through here that asks a chain is one that we refuse before."""

        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"the official check asked the chain for {name}")

    answer: bool = verify_batch_settlement_voucher_typed_data(
        NoChain(),  # type: ignore[arg-type]
        "0x" + channel.channel_id.hex(),
        str(maximum),
        "0x" + authorizer.hex(),
        "0x" + channel.config.payer.hex(),
        "0x" + signature.hex(),
        channel.domain.chain_id,
    )
    return answer


def difference(signature: bytes) -> Stricter | None:
    if len(signature) != 65:
        return Stricter.NOT_65_BYTES
    if int.from_bytes(signature[32:64], "big") > CURVE_ORDER // 2:
        return Stricter.HIGH_S
    return Stricter.HIGH_V if signature[64] >= 35 else None


CHANNEL = payer_channel("alice", RECEIVER)
OTHERS = [payer_channel("alice", RECEIVER, salt=1), payer_channel("bob", RECEIVER)]


@st.composite
def signatures(draw: st.DrawFn, maximum: int) -> bytes:
    """A good signature, one of something else, or either after a small accident."""
    signer = draw(st.sampled_from([CHANNEL, CHANNEL, CHANNEL, *OTHERS]))
    signed = draw(st.sampled_from([maximum, maximum, maximum, maximum + 1, 1]))
    signature = signer.sign(signed)
    accident = draw(st.sampled_from(["none", "none", "high s", "compact", "v", "parity", "bit", "cut", "longer"]))
    if accident == "none":
        return signature
    number = draw(st.integers(0, 8 * 65 - 1))
    return {
        "high s": with_high_s(signature),
        "compact": compact(signature),
        "v": signature[:64] + bytes([number % 256]),
        # EIP-155's v, for which eth_account has an ear.
        "parity": signature[:64] + bytes([35 + (signature[64] - 27) + 2 * (number % 4)]),
        "bit": (int.from_bytes(signature, "big") ^ (1 << number)).to_bytes(65, "big"),
        "cut": signature[: number % 65],
        "longer": signature + b"\x00",
    }[accident]


@settings(max_examples=400)
@given(st.data(), st.one_of(st.integers(1, 10), st.integers(1, (1 << 128) - 1)))
def test_we_approve_only_what_the_official_check_approves(data: st.DataObject, maximum: int) -> None:
    signature = data.draw(signatures(maximum))
    we, they = (check(CHANNEL, maximum, signature, CHANNEL.config.payer_authorizer) for check in (ours, official))
    if we:
        assert they
    if they and not we:
        assert difference(signature) is not None


def forms(maximum: int) -> dict[Stricter, bytes]:
    signature = CHANNEL.sign(maximum)
    return {
        Stricter.HIGH_S: with_high_s(signature),
        Stricter.HIGH_V: signature[:64] + bytes([signature[64] + 8]),
        Stricter.NOT_65_BYTES: compact(signature),
    }


def test_each_named_difference() -> None:
    """HIGH_S and HIGH_V are real differences; the official check happens to refuse compact signatures too."""
    authorizer = CHANNEL.config.payer_authorizer
    for reason, signature in forms(5).items():
        assert difference(signature) is reason
        assert not ours(CHANNEL, 5, signature, authorizer)
    assert official(CHANNEL, 5, forms(5)[Stricter.HIGH_S], authorizer)
    assert official(CHANNEL, 5, forms(5)[Stricter.HIGH_V], authorizer)


def test_a_good_voucher_passes_both() -> None:
    """Without this, everything above would hold of a check that refuses all."""
    signature = CHANNEL.sign(5)
    for v in {signature[64], signature[64] - 27}:
        form = signature[:64] + bytes([v])
        assert ours(CHANNEL, 5, form, CHANNEL.config.payer_authorizer)
        assert official(CHANNEL, 5, form, CHANNEL.config.payer_authorizer)


def test_a_zero_authorizer_never_reaches_a_contract() -> None:
    assert not ours(CHANNEL, 5, CHANNEL.sign(5), bytes(20))


ADDRESS = st.binary(min_size=20, max_size=20)
CONFIGS = st.builds(
    ChannelConfig,
    ADDRESS,
    ADDRESS,
    ADDRESS,
    ADDRESS.filter(any),
    ADDRESS,
    st.integers(900, 2_592_000),
    st.binary(min_size=32, max_size=32),
)


@settings(max_examples=60)
@given(CONFIGS, st.one_of(st.none(), st.integers(0, 255)))
def test_channel_ids_bind_as_the_official_check_binds_them(config: ChannelConfig, flipped_bit: int | None) -> None:
    identifier = channel_id(DOMAIN, config)
    claimed = identifier
    if flipped_bit is not None:
        claimed = (int.from_bytes(identifier, "big") ^ (1 << flipped_bit)).to_bytes(32, "big")
    reason = validate_channel_config(
        OfficialConfig(
            payer=to_checksum_address(config.payer),
            payer_authorizer=to_checksum_address(config.payer_authorizer),
            receiver=to_checksum_address(config.receiver),
            receiver_authorizer=to_checksum_address(config.receiver_authorizer),
            token=to_checksum_address(config.token),
            withdraw_delay=config.withdraw_delay,
            salt="0x" + config.salt.hex(),
        ),
        "0x" + claimed.hex(),
        PaymentRequirements(
            scheme="batch-settlement",
            network=f"eip155:{DOMAIN.chain_id}",
            asset=to_checksum_address(config.token),
            amount="1",
            pay_to=to_checksum_address(config.receiver),
            max_timeout_seconds=60,
            extra={
                "receiverAuthorizer": to_checksum_address(config.receiver_authorizer),
                "withdrawDelay": config.withdraw_delay,
            },
        ),
    )
    assert (reason is None) == (claimed == identifier), reason
