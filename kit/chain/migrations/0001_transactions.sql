-- One sender a key: a lane is one sending account on one chain, and hands out its nonces.
-- Everything is kept under tenant 0, since lanes belong to the platform.
CREATE TABLE chain_lanes (
    tenant_id  integer NOT NULL DEFAULT 0,
    lane       text    NOT NULL,
    chain_id   bigint  NOT NULL,
    sender     bytea   NOT NULL CHECK (octet_length(sender) = 20),
    next_nonce bigint  NOT NULL CHECK (next_nonce >= 0),
    PRIMARY KEY (tenant_id, lane),
    UNIQUE (tenant_id, chain_id, sender)
);

-- state: 1 requested, 2 signed, 3 broadcast, 4 mined, 5 reverted, 6 replaced, 7 lapsed (kit/chain/transactions.py)
-- is_final: no reorganisation will change it any more.
CREATE TABLE chain_transactions (
    tenant_id      integer       NOT NULL DEFAULT 0,
    transaction_id uuid          NOT NULL,
    lane           text          NOT NULL,
    dedup_key      text          NOT NULL,
    purpose        text          NOT NULL,
    to_address     bytea         NOT NULL CHECK (octet_length(to_address) = 20),
    value          numeric(78,0) NOT NULL,
    data           bytea         NOT NULL,
    gas_limit      bigint,
    valid_until    timestamptz,
    state          smallint      NOT NULL DEFAULT 1,
    is_final       boolean       NOT NULL DEFAULT false,
    nonce          bigint,
    mined_hash     bytea,
    block_hash     bytea,
    block_number   bigint,
    gas_used       bigint,
    gas_price      numeric(40,0),
    reason         text,
    created_at     timestamptz   NOT NULL DEFAULT now(),
    changed_at     timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, transaction_id),
    UNIQUE (tenant_id, lane, dedup_key),
    UNIQUE (tenant_id, lane, nonce),
    CHECK (state IN (1, 7) OR nonce IS NOT NULL)
);
CREATE INDEX chain_transactions_open ON chain_transactions (tenant_id, lane, nonce) WHERE NOT is_final;

-- Signed bytes, written before they are broadcast and never changed: after a restart the same bytes go out again.
-- kind: 1 what was requested, 2 an empty transaction that only uses the nonce up.
CREATE TABLE chain_attempts (
    tenant_id         integer       NOT NULL DEFAULT 0,
    lane              text          NOT NULL,
    nonce             bigint        NOT NULL,
    attempt           smallint      NOT NULL,
    transaction_id    uuid          NOT NULL,
    kind              smallint      NOT NULL,
    tx_hash           bytea         NOT NULL UNIQUE CHECK (octet_length(tx_hash) = 32),
    raw               bytea         NOT NULL,
    max_fee           numeric(40,0) NOT NULL,
    priority_fee      numeric(40,0) NOT NULL,
    signed_at         timestamptz   NOT NULL DEFAULT now(),
    last_broadcast_at timestamptz,
    PRIMARY KEY (tenant_id, lane, nonce, attempt)
);
CREATE INDEX chain_attempts_by_transaction ON chain_attempts (tenant_id, transaction_id);
