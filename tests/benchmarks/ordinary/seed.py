"""The ordinary service's database with the workload's channels."""

from __future__ import annotations

from sqlalchemy import create_engine, insert, text
from sqlalchemy.orm import Session

from gateway.merchants.keys import new_key
from tests.benchmarks.ordinary.models import ApiKey, Base, Channel, Merchant, VelocityWindow
from tests.benchmarks.workload import TOKEN, Workload


def seed(url: str, workload: Workload) -> list[str]:
    """Create the tables and open the channels; returns one API key a merchant."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    Base.metadata.create_all(engine)
    keys = [new_key() for _ in range(workload.merchants)]
    payers = workload.payers + workload.spares
    with Session(engine) as session:
        for number, (_, key_hash) in enumerate(keys):
            session.add(Merchant(id=number + 1, name=f"merchant {number}"))
            session.flush()
            session.add(ApiKey(merchant_id=number + 1, key_hash=key_hash))
        session.execute(
            insert(Channel),
            [
                {
                    "merchant_id": payer.merchant + 1,
                    "channel_id": payer.channel_id,
                    "payer": payer.address,
                    "payer_authorizer": payer.address,
                    "receiver": payer.config.receiver,
                    "token": TOKEN,
                    "balance": payer.credit,
                }
                for payer in payers
            ],
        )
        session.execute(insert(VelocityWindow), [{"payer": payer.address} for payer in payers])
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (FREEZE, ANALYZE)"))
    engine.dispose()
    return [key for key, _ in keys]
