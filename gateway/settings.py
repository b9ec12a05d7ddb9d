"""Every setting of the gateway: environment variables with the prefix LOCKGATE_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment. Amounts are in the token's smallest unit, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="LOCKGATE_", extra="ignore", frozen=True)

    # where the parts are
    database_url: SecretStr
    broker_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    chain_rpc_url: SecretStr = SecretStr("http://127.0.0.1:8545")
    chain_id: int = 31337
    contracts_file: Path = Path("contracts.json")
    relay_key_file: Path | None = None
    receiver_authorizer_key_file: Path | None = None
    sanctions_file: Path | None = None
    watch_file: Path | None = None
    metrics_dir: Path | None = None

    # how the API listens
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    api_workers: int = Field(default=2, ge=1, le=64)
    public_url: str = "http://127.0.0.1:8080"
    log_level: str = "INFO"
    database_pool_size: int = Field(default=8, ge=2, le=64)
    capture_lanes: int = Field(default=1, ge=1, le=8)
    # How long after SIGTERM the API still takes requests, while load balancers and clients turn away.
    drain_seconds: float = Field(default=2.0, ge=0, le=60)

    # tiers (verification/tiers.py), for tokens that stand for one US dollar a unit
    micro_most_usd: int = 10
    standard_most_usd: int = 10_000
    window_most_usd: int = 10
    window_seconds: int = 86_400

    # exposure to a chain that we cannot see
    mirror_fresh_seconds: int = 15
    mirror_stale_seconds: int = 300
    exposure_most: int = 1_000_000
    claimer_alive_seconds: int = 60

    # deposits and settlement
    deposit_confirmations: int = Field(default=1, ge=1)
    deposit_least: int = 1
    receipt_wait_seconds: int = 20

    # x402 facilitator: transactions that we relay and pay for within an hour, a payer or a receiver
    relayed_an_hour_most: int = Field(default=240, ge=1)

    # claims, settles and the transactions that carry them
    claim_value_least: int = Field(default=1_000_000, ge=1)
    claim_age_seconds: int = Field(default=60, ge=0)
    claim_rows_most: int = Field(default=100, ge=1, le=100)
    settle_value_least: int = Field(default=1, ge=1)
    withdrawal_margin_seconds: int = Field(default=600, ge=0)
    fee_cap_wei: int = Field(default=500_000_000_000, ge=1)
    fee_bump_seconds: int = Field(default=15, ge=1)

    # following the chain
    reorg_depth_most: int = Field(default=128, ge=1)
    follow_seconds: float = Field(default=1.0, gt=0, le=60)

    # workers
    worker_processes: int = Field(default=2, ge=1, le=64)
    beat_liveness_file: Path | None = None
    worker_liveness_file: Path | None = None


def load() -> Settings:
    """The settings of this process. Raises pydantic.ValidationError naming what is missing or wrong."""
    return Settings()  # type: ignore[call-arg]  # the environment supplies database_url
