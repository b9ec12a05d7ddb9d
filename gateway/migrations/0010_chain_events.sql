-- What the chain's events leave behind in the book, beside channel_states.
CREATE INDEX channels_by_receiver ON channels (receiver);

-- Deposits that the chain has and we do not trust yet; credited when their block is deep enough.
CREATE TABLE pending_deposits (
    merchant_id  integer       NOT NULL,
    channel_no   bigint        NOT NULL,
    chain_id     bigint        NOT NULL,
    block_hash   bytea         NOT NULL,
    log_index    integer       NOT NULL,
    block_number bigint        NOT NULL,
    transfer_id  uuid          NOT NULL,
    amount       numeric(40,0) NOT NULL CHECK (amount > 0),
    PRIMARY KEY (merchant_id, chain_id, block_hash, log_index)
);
CREATE INDEX pending_deposits_by_number ON pending_deposits (block_number);

-- Payments by transfer (scheme 2), tied to the block that they were included in.
CREATE TABLE exact_payments (
    merchant_id  integer NOT NULL,
    payment_id   uuid    NOT NULL,
    chain_id     bigint  NOT NULL,
    tx_hash      bytea   NOT NULL,
    block_number bigint  NOT NULL,
    is_final     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (merchant_id, payment_id)
);
CREATE INDEX exact_payments_not_final ON exact_payments (block_number) WHERE NOT is_final;
CREATE INDEX payments_by_request ON payments (merchant_id, request_hash) WHERE scheme = 2;

-- Receivers whose earlier history on chain is in the book; a receiver is followed only from then on.
CREATE TABLE followed_receivers (
    merchant_id  integer NOT NULL,
    receiver     bytea   NOT NULL,
    chain_id     bigint  NOT NULL,
    since_number bigint  NOT NULL,
    PRIMARY KEY (merchant_id, receiver, chain_id)
);

-- Which channels a claim transaction carries, and up to which total.
CREATE TABLE claim_rows (
    merchant_id    integer       NOT NULL,
    channel_no     bigint        NOT NULL,
    transaction_id uuid          NOT NULL,
    total          numeric(40,0) NOT NULL CHECK (total > 0),
    created_at     timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, channel_no, transaction_id)
);
CREATE INDEX claim_rows_by_transaction ON claim_rows (transaction_id);

-- Channels whose claim would revert: left out of batches, tried again later and less and less often.
CREATE TABLE claim_faults (
    merchant_id integer     NOT NULL,
    channel_no  bigint      NOT NULL,
    reason      text        NOT NULL,
    tries       integer     NOT NULL DEFAULT 1,
    first_at    timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, channel_no)
);

CREATE TABLE settle_runs (
    merchant_id    integer     NOT NULL,
    receiver       bytea       NOT NULL,
    asset_id       smallint    NOT NULL,
    transaction_id uuid        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, receiver, asset_id, transaction_id)
);

-- The escrow whose channels this book keeps, and how many blocks deep a deposit must be to count (1: included).
CREATE TABLE followed_escrows (
    tenant_id     integer  NOT NULL DEFAULT 0,
    chain_id      bigint   NOT NULL,
    escrow        bytea    NOT NULL CHECK (octet_length(escrow) = 20),
    start_block   bigint   NOT NULL,
    confirmations integer  NOT NULL CHECK (confirmations >= 1),
    is_current    boolean  NOT NULL DEFAULT true,
    PRIMARY KEY (tenant_id, chain_id)
);
CREATE UNIQUE INDEX followed_escrows_current ON followed_escrows (tenant_id) WHERE is_current;
