"""Every reason that this facilitator gives, spelt as x402 spells it. What it never gives is in README.md."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    # any scheme
    INVALID_PAYLOAD = "invalid_payload"
    INVALID_X402_VERSION = "invalid_x402_version"
    INVALID_NETWORK = "invalid_network"
    INVALID_PAYMENT_REQUIREMENTS = "invalid_payment_requirements"
    UNSUPPORTED_SCHEME = "unsupported_scheme"
    SETTLEMENT_PENDING = "settlement_pending"
    NETWORK_MISMATCH = "network_mismatch"
    MISSING_EIP712_DOMAIN = "missing_eip712_domain"
    ASSET_NOT_DEPLOYED = "asset_not_deployed_contract"
    TRANSACTION_FAILED = "transaction_failed"
    FACTORY_NOT_ALLOWED = "eip6492_factory_not_allowed"

    # exact
    EXACT_RECIPIENT_MISMATCH = "invalid_exact_evm_payload_recipient_mismatch"
    EXACT_VALUE_MISMATCH = "invalid_exact_evm_payload_authorization_value_mismatch"
    EXACT_VALID_BEFORE = "invalid_exact_evm_payload_authorization_valid_before"
    EXACT_VALID_AFTER = "invalid_exact_evm_payload_authorization_valid_after"
    EXACT_SIGNATURE = "invalid_exact_evm_payload_signature"
    EXACT_UNDEPLOYED_WALLET = "invalid_exact_evm_payload_undeployed_smart_wallet"
    EXACT_NONCE_USED = "invalid_exact_evm_nonce_already_used"
    EXACT_INSUFFICIENT_BALANCE = "invalid_exact_evm_insufficient_balance"
    EXACT_NAME = "invalid_exact_evm_token_name_mismatch"
    EXACT_VERSION = "invalid_exact_evm_token_version_mismatch"
    EXACT_NOT_EIP3009 = "invalid_exact_evm_eip3009_not_supported"
    EXACT_SIMULATION_FAILED = "invalid_exact_evm_transaction_simulation_failed"
    EXACT_TRANSFER_EVENT = "invalid_exact_evm_transfer_event_mismatch"
    PERMIT2_NOT_SUPPORTED = "permit2_not_supported"

    # batch-settlement
    BATCH_SCHEME = "invalid_batch_settlement_evm_scheme"
    BATCH_NETWORK = "invalid_batch_settlement_evm_network_mismatch"
    BATCH_DOMAIN = "invalid_batch_settlement_evm_missing_eip712_domain"
    BATCH_PAYLOAD_TYPE = "invalid_batch_settlement_evm_payload_type"
    BATCH_CHANNEL_NOT_FOUND = "invalid_batch_settlement_evm_channel_not_found"
    BATCH_CHANNEL_ID = "invalid_batch_settlement_evm_channel_id_mismatch"
    BATCH_RECEIVER = "invalid_batch_settlement_evm_receiver_mismatch"
    BATCH_RECEIVER_AUTHORIZER = "invalid_batch_settlement_evm_receiver_authorizer_mismatch"
    BATCH_AUTHORIZER_ADDRESS = "invalid_batch_settlement_evm_authorizer_address_mismatch"
    BATCH_ASSET = "invalid_batch_settlement_evm_token_mismatch"
    BATCH_WITHDRAW_DELAY = "invalid_batch_settlement_evm_withdraw_delay_mismatch"
    BATCH_WITHDRAW_DELAY_RANGE = "invalid_batch_settlement_evm_withdraw_delay_out_of_range"
    BATCH_VOUCHER_SIGNATURE = "invalid_batch_settlement_evm_voucher_signature"
    BATCH_EXCEEDS_BALANCE = "invalid_batch_settlement_evm_cumulative_exceeds_balance"
    BATCH_BELOW_CLAIMED = "invalid_batch_settlement_evm_cumulative_below_claimed"
    BATCH_MISMATCH = "invalid_batch_settlement_evm_cumulative_amount_mismatch"
    BATCH_INSUFFICIENT_BALANCE = "invalid_batch_settlement_evm_insufficient_balance"
    BATCH_DEPOSIT_SIMULATION = "invalid_batch_settlement_evm_deposit_simulation_failed"
    BATCH_DEPOSIT_BELOW_LEAST = "invalid_batch_settlement_evm_deposit_below_min_deposit"
    BATCH_DEPOSIT_FAILED = "invalid_batch_settlement_evm_deposit_transaction_failed"
    BATCH_FACTORY_NOT_ALLOWED = "invalid_batch_settlement_evm_eip6492_factory_not_allowed"
    BATCH_CLAIM_PAYLOAD = "invalid_batch_settlement_evm_claim_payload"
    BATCH_CLAIM_SIMULATION = "invalid_batch_settlement_evm_claim_simulation_failed"
    BATCH_CLAIM_FAILED = "invalid_batch_settlement_evm_claim_transaction_failed"
    BATCH_SETTLE_SIMULATION = "invalid_batch_settlement_evm_settle_simulation_failed"
    BATCH_SETTLE_FAILED = "invalid_batch_settlement_evm_settle_transaction_failed"
    BATCH_NOTHING_TO_SETTLE = "invalid_batch_settlement_evm_nothing_to_settle"
    BATCH_REFUND_SIMULATION = "invalid_batch_settlement_evm_refund_simulation_failed"
    BATCH_REFUND_FAILED = "invalid_batch_settlement_evm_refund_transaction_failed"
    BATCH_REFUND_AMOUNT = "invalid_batch_settlement_evm_refund_amount_invalid"
    BATCH_REFUND_NO_BALANCE = "invalid_batch_settlement_evm_refund_no_balance"
    BATCH_VALID_AFTER = "invalid_batch_settlement_evm_payload_authorization_valid_after"
    BATCH_VALID_BEFORE = "invalid_batch_settlement_evm_payload_authorization_valid_before"
    BATCH_RECEIVE_SIGNATURE = "invalid_batch_settlement_evm_receive_authorization_signature"
    BATCH_ERC3009_REQUIRED = "invalid_batch_settlement_evm_erc3009_authorization_required"
    BATCH_CHANNEL_BUSY = "invalid_batch_settlement_evm_channel_busy"
    BATCH_MISSING_CHANNEL = "invalid_batch_settlement_evm_missing_channel"

    # ours: x402 has no word for these
    RECEIVER_NOT_REGISTERED = "receiver_not_registered"
    ASSET_NOT_SUPPORTED = "asset_not_supported"
    GAS_BUDGET_EXHAUSTED = "gas_budget_exhausted"
    EXPOSURE_LIMIT = "exposure_limit_reached"
    MERCHANT_KEY_REQUIRED = "merchant_key_required"


# A client recovers from these two by itself, if the answer carries the channel's state.
CORRECTIVE = frozenset({Code.BATCH_MISMATCH, Code.BATCH_BELOW_CLAIMED})
