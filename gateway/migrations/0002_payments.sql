-- payment_id is a UUIDv7: primary key, cursor and sort order in one.
-- scheme 1 = batch-settlement voucher, 2 = exact, 3 = claimed on chain by the merchant's own server
-- state  see gateway/payments/states.py
CREATE TABLE payments (
    merchant_id     integer       NOT NULL,
    payment_id      uuid          NOT NULL,
    scheme          smallint      NOT NULL,
    state           smallint      NOT NULL,
    channel_no      bigint,
    asset_id        smallint      NOT NULL,
    amount          numeric(40,0) NOT NULL CHECK (amount > 0),
    cumulative      numeric(40,0),          -- the channel's charged total after this payment
    voucher_max     numeric(40,0),
    payer           bytea         NOT NULL,
    signature       bytea,
    request_hash    bytea         NOT NULL CHECK (octet_length(request_hash) = 32),
    idempotency_key text,
    batch_id        uuid          NOT NULL,
    reference       text,
    PRIMARY KEY (merchant_id, payment_id)
);
-- The voucher's identity: what tells a replay from a new payment.
CREATE UNIQUE INDEX payments_by_voucher ON payments (merchant_id, channel_no, voucher_max) WHERE channel_no IS NOT NULL;
CREATE UNIQUE INDEX payments_by_idempotency_key ON payments (merchant_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- Keys of POST routes whose effect is not one payment. Scope: tenant + method and route.
CREATE TABLE idempotency_keys (
    tenant_id  integer     NOT NULL,
    route      text        NOT NULL,
    key        text        NOT NULL,
    body_hash  bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, route, key)
);
