-- The book: double entry, integers in the asset's smallest unit, append-only legs.
-- tenant_id 0 is the platform itself; every other tenant is one merchant (or, in settlement, one institution).

CREATE TABLE ledger_assets (
    asset_id   smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    chain_id   bigint   NOT NULL,
    address    bytea    NOT NULL CHECK (octet_length(address) = 20),
    symbol     text     NOT NULL,
    decimals   smallint NOT NULL CHECK (decimals BETWEEN 0 AND 36),
    UNIQUE (chain_id, address)
);

CREATE TABLE ledger_accounts (
    tenant_id  integer  NOT NULL,
    account_id bigint   GENERATED ALWAYS AS IDENTITY,
    kind       text     NOT NULL,
    reference  text     NOT NULL,
    asset_id   smallint NOT NULL REFERENCES ledger_assets,
    PRIMARY KEY (tenant_id, account_id),
    UNIQUE (tenant_id, kind, reference, asset_id)
);

-- An account's balance is the sum of its shards: each writer has a shard of its own, so a hot account never
-- serialises its writers. A floored account has shard 0 only, since a floor can only be held on one row.
-- balance = credits - debits.
CREATE TABLE ledger_balances (
    tenant_id  integer       NOT NULL,
    account_id bigint        NOT NULL,
    shard      smallint      NOT NULL DEFAULT 0,
    balance    numeric(40,0) NOT NULL DEFAULT 0,
    floor      numeric(40,0),
    PRIMARY KEY (tenant_id, account_id, shard),
    CONSTRAINT ledger_balance_not_below_floor CHECK (floor IS NULL OR balance >= floor),
    CONSTRAINT ledger_floor_on_shard_zero CHECK (floor IS NULL OR shard = 0)
) WITH (fillfactor = 50);

-- amount > 0 credits the account, amount < 0 debits it. The legs of one transfer sum to zero in one asset.
-- transfer_id is a UUIDv7: the key grows to the right, and it is what makes a posting idempotent.
CREATE TABLE ledger_legs (
    tenant_id   integer       NOT NULL,
    transfer_id uuid          NOT NULL,
    leg         smallint      NOT NULL,
    account_id  bigint        NOT NULL,
    asset_id    smallint      NOT NULL,
    amount      numeric(40,0) NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (tenant_id, transfer_id, leg)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER ledger_legs_append_only BEFORE UPDATE OR DELETE ON ledger_legs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_legs_never_truncated BEFORE TRUNCATE ON ledger_legs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
