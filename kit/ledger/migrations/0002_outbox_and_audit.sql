-- Every state change writes one outbox row and one audit leaf in its own transaction.

CREATE TABLE outbox (
    tenant_id    integer     NOT NULL,
    event_id     uuid        NOT NULL,
    topic        text        NOT NULL,
    payload      jsonb       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    attempts     integer     NOT NULL DEFAULT 0,
    fence        bigint      NOT NULL DEFAULT 0,
    leased_until timestamptz,
    delivered_at timestamptz,
    last_error   text,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX outbox_undelivered ON outbox (event_id) WHERE delivered_at IS NULL;

-- leaf_hash = SHA-256(salt || body); body is canonical JSON. Erasing a body's personal part is erasing its salt.
CREATE TABLE audit_leaves (
    tenant_id  integer     NOT NULL,
    leaf_id    uuid        NOT NULL,
    kind       text        NOT NULL,
    salt       bytea       NOT NULL CHECK (octet_length(salt) = 16),
    body       text        NOT NULL,
    leaf_hash  bytea       NOT NULL CHECK (octet_length(leaf_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, leaf_id)
);
CREATE TRIGGER audit_leaves_append_only BEFORE DELETE ON audit_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
