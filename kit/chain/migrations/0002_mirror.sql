-- The block that an endpoint must have to be the chain that these records are about.
CREATE TABLE chain_anchors (
    tenant_id integer NOT NULL DEFAULT 0,
    chain_id  bigint  NOT NULL,
    number    bigint  NOT NULL,
    hash      bytea   NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tenant_id, chain_id)
);

-- How far the book has followed the chain. head_* is the last block whose events are committed; seen_at is when the
-- node last answered and we had nothing left to follow; trouble says in words why following stands still, if it does.
CREATE TABLE chain_mirror (
    tenant_id        integer     NOT NULL DEFAULT 0,
    chain_id         bigint      NOT NULL,
    head_number      bigint      NOT NULL,
    head_hash        bytea       NOT NULL CHECK (octet_length(head_hash) = 32),
    head_time        timestamptz NOT NULL,
    node_number      bigint      NOT NULL,
    finalized_number bigint      NOT NULL DEFAULT 0,
    seen_at          timestamptz NOT NULL,
    trouble          text,
    PRIMARY KEY (tenant_id, chain_id)
);

-- The followed branch, as deep as a reorganisation may reach.
CREATE TABLE chain_blocks (
    tenant_id   integer     NOT NULL DEFAULT 0,
    chain_id    bigint      NOT NULL,
    number      bigint      NOT NULL,
    hash        bytea       NOT NULL CHECK (octet_length(hash) = 32),
    parent_hash bytea       NOT NULL,
    block_time  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, chain_id, number)
);

-- Every event that had an effect, with what is needed to take the effect back. `round` counts how often it was
-- applied: a block can leave the chain and return.
CREATE TABLE chain_logs (
    tenant_id    integer     NOT NULL DEFAULT 0,
    chain_id     bigint      NOT NULL,
    block_hash   bytea       NOT NULL,
    log_index    integer     NOT NULL,
    block_number bigint      NOT NULL,
    tx_hash      bytea       NOT NULL,
    address      bytea       NOT NULL,
    topics       bytea[]     NOT NULL,
    data         bytea       NOT NULL,
    effect       jsonb       NOT NULL,
    round        integer     NOT NULL DEFAULT 1,
    is_applied   boolean     NOT NULL DEFAULT true,
    changed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, chain_id, block_hash, log_index)
);
CREATE INDEX chain_logs_by_number ON chain_logs (tenant_id, chain_id, block_number) WHERE is_applied;
CREATE INDEX chain_logs_by_transaction ON chain_logs (tenant_id, tx_hash);
