-- name: find_receiver
SELECT r.merchant_id, m.x402_key_required
FROM merchant_receivers r JOIN merchants m USING (merchant_id)
WHERE r.receiver = %(receiver)s AND m.suspended_at IS NULL

-- name: find_channel
SELECT c.merchant_id, c.channel_no, s.credited, s.charged, s.claimed, s.withheld, s.withdraw_requested_at,
       s.refund_nonce, s.voucher_max, s.voucher_signature, s.kept
FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
WHERE c.channel_id = %(channel_id)s

-- name: lock_channel
SELECT c.merchant_id, c.channel_no, s.credited, s.charged, s.claimed, s.withheld, s.withdraw_requested_at,
       s.refund_nonce, s.voucher_max, s.voucher_signature, s.kept
FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
WHERE c.channel_id = %(channel_id)s
FOR UPDATE OF s

-- name: remember_voucher
-- The best voucher seen of a channel whose totals its own resource server keeps: a refund below it is refused.
UPDATE channel_states
SET voucher_max = %(voucher_max)s, voucher_signature = %(signature)s
WHERE merchant_id = %(merchant_id)s AND channel_no = %(channel_no)s AND NOT kept AND voucher_max < %(voucher_max)s

-- name: withhold
UPDATE channel_states SET withheld = withheld + %(amount)s
WHERE merchant_id = %(merchant_id)s AND channel_no = %(channel_no)s

-- name: release_withheld
-- Once a settlement: what it kept back is free again, whether it was paid out or never will be.
-- The channel is locked first, then the settlement, as everywhere.
WITH channel AS MATERIALIZED (
    SELECT s.merchant_id, s.channel_no
    FROM channel_states s JOIN x402_settlements x USING (merchant_id, channel_no)
    WHERE x.merchant_id = %(merchant_id)s AND x.settlement_key = %(settlement_key)s
    FOR UPDATE OF s
), held AS MATERIALIZED (
    SELECT x.merchant_id, x.settlement_key, x.withheld
    FROM channel c JOIN x402_settlements x USING (merchant_id, channel_no)
    WHERE x.settlement_key = %(settlement_key)s AND x.withheld > 0
    FOR UPDATE OF x
), released AS (
    UPDATE x402_settlements x SET withheld = 0
    FROM held
    WHERE x.merchant_id = held.merchant_id AND x.settlement_key = held.settlement_key
    RETURNING x.merchant_id, x.channel_no, held.withheld AS amount
)
UPDATE channel_states s SET withheld = s.withheld - released.amount
FROM released
WHERE s.merchant_id = released.merchant_id AND s.channel_no = released.channel_no
RETURNING s.channel_no, released.amount

-- name: withholding
-- Settlements of a channel that keep money back.
SELECT settlement_key, transaction_id FROM x402_settlements
WHERE merchant_id = %(merchant_id)s AND channel_no = %(channel_no)s AND withheld > 0

-- name: lock_budget
-- One relayed transaction after the other for one subject, so that the count below is exact.
SELECT pg_advisory_xact_lock(1481913394, hashtext(encode(%(subject)s, 'hex')))

-- name: spent_budget
SELECT count(*) FROM x402_settlements WHERE subject = %(subject)s AND created_at > now() - interval '1 hour'

-- name: find_settlement
SELECT merchant_id, settlement_key, kind, fingerprint, request_hash, transaction_id, channel_no, withheld, answer
FROM x402_settlements
WHERE merchant_id = %(merchant_id)s AND settlement_key = %(settlement_key)s

-- name: store_settlement
-- A settlement that finally never happened may be asked for again: then it starts afresh, as its transaction does.
INSERT INTO x402_settlements (merchant_id, settlement_key, kind, fingerprint, request_hash, transaction_id, subject,
                              channel_no, withheld)
VALUES (%(merchant_id)s, %(settlement_key)s, %(kind)s, %(fingerprint)s, %(request_hash)s, %(transaction_id)s,
        %(subject)s, %(channel_no)s, %(withheld)s)
ON CONFLICT (merchant_id, settlement_key) DO UPDATE
SET fingerprint = EXCLUDED.fingerprint, request_hash = EXCLUDED.request_hash, withheld = EXCLUDED.withheld,
    transaction_id = EXCLUDED.transaction_id, created_at = now(), answer = NULL

-- name: store_answer
UPDATE x402_settlements SET answer = %(answer)s
WHERE merchant_id = %(merchant_id)s AND settlement_key = %(settlement_key)s

-- name: reserve_window
-- The payer's leaky bucket takes this amount, if it has room.
INSERT INTO velocity_windows AS w (tenant_id, subject, asset_id, level, level_at)
VALUES (0, %(payer)s, %(asset_id)s, %(amount)s, now())
ON CONFLICT (tenant_id, subject, asset_id) DO UPDATE
SET level = GREATEST(0, w.level - %(window_most)s * LEAST(1, GREATEST(0, extract(epoch FROM now() - w.level_at))
                                                             / %(window_seconds)s)) + %(amount)s,
    level_at = GREATEST(w.level_at, now())
WHERE GREATEST(0, w.level - %(window_most)s * LEAST(1, GREATEST(0, extract(epoch FROM now() - w.level_at))
                                                       / %(window_seconds)s)) + %(amount)s <= %(window_most)s
RETURNING level

-- name: find_asset
SELECT asset_id FROM ledger_assets WHERE chain_id = %(chain_id)s AND address = %(token)s

-- name: is_booked
-- Whether the book has an event of this kind from a transaction.
SELECT 1 FROM chain_logs
WHERE tenant_id = 0 AND tx_hash = %(tx_hash)s AND is_applied AND topics[1] = %(topic)s
LIMIT 1
