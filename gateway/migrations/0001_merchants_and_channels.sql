CREATE TABLE merchants (
    merchant_id  integer     PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    public_id    text        NOT NULL UNIQUE,
    name         text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    suspended_at timestamptz
);

-- Where a merchant is paid. Old receivers stay, since channels to them still drain.
CREATE TABLE merchant_receivers (
    merchant_id integer NOT NULL REFERENCES merchants,
    receiver    bytea   NOT NULL UNIQUE CHECK (octet_length(receiver) = 20),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, receiver)
);

-- A key is 32 random bytes, so a plain SHA-256 of it is enough; the key itself is shown once and kept nowhere.
CREATE TABLE api_keys (
    merchant_id integer     NOT NULL REFERENCES merchants,
    key_id      bigint      GENERATED ALWAYS AS IDENTITY,
    key_hash    bytea       NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    label       text        NOT NULL DEFAULT '',
    can_write   boolean     NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (merchant_id, key_id)
);
CREATE UNIQUE INDEX api_keys_by_id ON api_keys (key_id);

-- What a channel is: never changes, never deleted (a second deposit would revive its old vouchers).
CREATE TABLE channels (
    merchant_id         integer  NOT NULL REFERENCES merchants,
    channel_no          bigint   GENERATED ALWAYS AS IDENTITY,
    channel_id          bytea    NOT NULL UNIQUE CHECK (octet_length(channel_id) = 32),
    chain_id            bigint   NOT NULL,
    asset_id            smallint NOT NULL REFERENCES ledger_assets,
    payer               bytea    NOT NULL CHECK (octet_length(payer) = 20),
    payer_authorizer    bytea    NOT NULL CHECK (octet_length(payer_authorizer) = 20),
    receiver            bytea    NOT NULL CHECK (octet_length(receiver) = 20),
    receiver_authorizer bytea    NOT NULL CHECK (octet_length(receiver_authorizer) = 20),
    token               bytea    NOT NULL CHECK (octet_length(token) = 20),
    withdraw_delay      integer  NOT NULL,
    salt                bytea    NOT NULL CHECK (octet_length(salt) = 32),
    channel_account     bigint   NOT NULL,   -- ledger: what the payer has put in and not yet spent
    captured_account    bigint   NOT NULL,   -- ledger: what the merchant has earned and not yet claimed
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, channel_no)
);
CREATE INDEX channels_by_payer ON channels (merchant_id, payer);

-- Where a channel stands. The row's lock orders its payments; its checks are the channel account's floor.
--   credited   gross escrow balance seen on chain at the depth we trust (deposits - refunds - withdrawals)
--   charged    cumulative amount captured by us; the next voucher's maximum is charged + amount
--   claimed    totalClaimed on chain at that depth
--   settled    the part of claimed that has been paid out to the receiver
--   withheld   pending withdrawal + refunds in flight: not spendable
--   deficit    what a reorganisation took from under captured payments, until it comes back
CREATE TABLE channel_states (
    merchant_id           integer       NOT NULL,
    channel_no            bigint        NOT NULL,
    credited              numeric(40,0) NOT NULL DEFAULT 0 CHECK (credited >= 0),
    charged               numeric(40,0) NOT NULL DEFAULT 0 CHECK (charged >= 0),
    claimed               numeric(40,0) NOT NULL DEFAULT 0 CHECK (claimed >= 0),
    settled               numeric(40,0) NOT NULL DEFAULT 0 CHECK (settled >= 0),
    withheld              numeric(40,0) NOT NULL DEFAULT 0 CHECK (withheld >= 0),
    deficit               numeric(40,0) NOT NULL DEFAULT 0 CHECK (deficit >= 0),
    withdraw_requested_at bigint        NOT NULL DEFAULT 0,   -- chain's initiatedAt, unix seconds; 0 = none
    withdraw_amount       numeric(40,0) NOT NULL DEFAULT 0,
    refund_nonce          numeric(78,0) NOT NULL DEFAULT 0,
    voucher_max           numeric(40,0) NOT NULL DEFAULT 0,   -- the best voucher we hold, claimable
    voucher_signature     bytea,
    first_unclaimed_at    timestamptz,
    last_payment_at       timestamptz,
    kept                  boolean       NOT NULL DEFAULT false, -- true once a voucher was charged in this book
    PRIMARY KEY (merchant_id, channel_no),
    FOREIGN KEY (merchant_id, channel_no) REFERENCES channels,
    CONSTRAINT channel_charged_within_credit CHECK (charged <= credited + deficit),
    CONSTRAINT channel_voucher_covers_charge CHECK (voucher_max >= charged OR claimed >= charged)
) WITH (fillfactor = 50);
CREATE INDEX channel_states_unclaimed ON channel_states (first_unclaimed_at) WHERE first_unclaimed_at IS NOT NULL;
-- The few channels that need care on the hot path: each API process keeps them in memory.
CREATE INDEX channel_states_flagged ON channel_states (channel_no) WHERE withdraw_requested_at <> 0 OR deficit > 0;

-- A leaky bucket a payer and asset: level drains by `limit` in one window. Reserved by the payment statement itself.
-- subject is the party where known, else the payer's address. Tenant 0: a payer is one payer at every merchant.
CREATE TABLE velocity_windows (
    tenant_id  integer       NOT NULL DEFAULT 0,
    subject    bytea         NOT NULL,
    asset_id   smallint      NOT NULL REFERENCES ledger_assets,
    level      numeric(40,0) NOT NULL DEFAULT 0 CHECK (level >= 0),
    level_at   timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject, asset_id)
) WITH (fillfactor = 50);

-- One step of folding a channel's vouchers in order: a voucher is captured when its maximum is exactly what is charged
-- so far plus its amount, and the channel can carry it. Anything else leaves the charge where it was.
CREATE FUNCTION fold_charge_step(charged numeric, opening numeric, voucher_max numeric, amount numeric,
                                 ceiling numeric, eligible boolean)
RETURNS numeric LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF charged IS NULL THEN charged := opening; END IF;
    IF eligible AND voucher_max - amount = charged AND voucher_max <= ceiling THEN RETURN voucher_max; END IF;
    RETURN charged;
END $$;
CREATE AGGREGATE fold_charge(numeric, numeric, numeric, numeric, boolean)
    (SFUNC = fold_charge_step, STYPE = numeric);
