-- What the facilitator has sent, or is about to send, for one authorization. The same authorization sent again finds its
-- row and joins the transaction under way instead of paying twice; a different request with it is told that it is used.
-- kind 1 deposit, 2 exact, 3 refund, 4 claim, 5 settle (gateway/x402/settlements.py)
--   settlement_key  what can happen once only: a token's nonce, a channel's refund nonce, the rows of a claim
--   fingerprint     SHA-256 over everything that was authorized under that key
--   request_hash    who asked: the caller's Idempotency-Key, else the request's own bytes
--   subject         whose gas budget it is: the payer, or the receiver of claims and settles
--   withheld        what it keeps from being spent on channel_no while its outcome is open
CREATE TABLE x402_settlements (
    merchant_id    integer       NOT NULL REFERENCES merchants,
    settlement_key bytea         NOT NULL CHECK (octet_length(settlement_key) = 32),
    kind           smallint      NOT NULL CHECK (kind BETWEEN 1 AND 5),
    fingerprint    bytea         NOT NULL CHECK (octet_length(fingerprint) = 32),
    request_hash   bytea         NOT NULL CHECK (octet_length(request_hash) = 32),
    transaction_id uuid          NOT NULL,
    subject        bytea         NOT NULL CHECK (octet_length(subject) = 20),
    channel_no     bigint,
    withheld       numeric(40,0) NOT NULL DEFAULT 0 CHECK (withheld >= 0),
    answer         jsonb,
    created_at     timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, settlement_key)
);
CREATE INDEX x402_settlements_by_subject ON x402_settlements (subject, created_at);
CREATE INDEX x402_settlements_withholding ON x402_settlements (merchant_id, channel_no) WHERE withheld > 0;

-- With this set, nothing that binds a merchant's channels to our signature or book happens without its API key.
ALTER TABLE merchants ADD COLUMN x402_key_required boolean NOT NULL DEFAULT false;
