-- name: capture_batch
-- One statement, one fsync, many payments. Each payer's vouchers are folded in order under the locks of their channels
-- and of the payer's window; legs, balances, one outbox row and one audit leaf belong to the same statement. Every item comes back with an
-- outcome (gateway/payments/outcomes.py). What is refused is explained by `explain_refused`, in a new snapshot.
-- Locks are taken in one order (channels by number, then windows by subject), so batches cannot deadlock.
WITH item AS MATERIALIZED (
    SELECT *
    FROM unnest(%(payment_id)b::uuid[], %(merchant_id)b::int4[], %(channel_no)b::int8[], %(amount)b::numeric[],
                %(voucher_max)b::numeric[], %(signature)b::bytea[], %(request_hash)b::bytea[],
                %(commitment)b::bytea[], %(idempotency_key)b::text[], %(key_id)b::int8[],
                %(window_limit)b::numeric[], %(exposure_limit)b::numeric[], %(reference)b::text[])
         WITH ORDINALITY AS t(payment_id, merchant_id, channel_no, amount, voucher_max, signature, request_hash,
                              commitment, idempotency_key, key_id, window_limit, exposure_limit, reference, ord)
), state AS MATERIALIZED (
    SELECT s.merchant_id, s.channel_no, s.charged, s.claimed, s.credited, s.withheld
    FROM channel_states s
    WHERE (s.merchant_id, s.channel_no) IN (SELECT merchant_id, channel_no FROM item)
    ORDER BY s.channel_no
    FOR UPDATE
), party AS MATERIALIZED (
    SELECT s.*, c.payer, c.asset_id, c.channel_account, c.captured_account,
           row_number() OVER (PARTITION BY c.payer, c.asset_id ORDER BY s.channel_no)::integer AS slot
    FROM state s JOIN channels c USING (merchant_id, channel_no)
), velocity AS MATERIALIZED (
    SELECT w.subject, w.asset_id, w.level, w.level_at
    FROM velocity_windows w
    WHERE w.tenant_id = 0 AND (w.subject, w.asset_id) IN (SELECT payer, asset_id FROM party)
    ORDER BY w.subject, w.asset_id
    FOR UPDATE
), usable_key AS (
    SELECT k.key_id
    FROM api_keys k JOIN merchants m USING (merchant_id)
    WHERE k.key_id IN (SELECT key_id FROM item) AND k.revoked_at IS NULL AND k.can_write
      AND (k.expires_at IS NULL OR k.expires_at > now()) AND m.suspended_at IS NULL
), checked AS (
    SELECT i.*, p.payer, p.asset_id, p.slot, p.channel_account, p.captured_account, p.charged AS opening, p.credited,
           p.credited - p.withheld AS spendable,
           p.claimed + i.exposure_limit AS exposed,
           -- A payer without a window has no room: GREATEST alone would pass over the NULL.
           CASE WHEN v.level IS NOT NULL
                THEN GREATEST(0, v.level - i.window_limit * LEAST(1, GREATEST(0, extract(epoch FROM now() - v.level_at))
                                                                     / %(window_seconds)b::int4)) END AS level,
           CASE WHEN p.channel_no IS NULL THEN 7
                WHEN i.key_id IS NOT NULL AND k.key_id IS NULL THEN 5
                WHEN u.payment_id IS NOT NULL THEN 6
                ELSE 0 END AS objection
    FROM item i
    LEFT JOIN party p USING (merchant_id, channel_no)
    LEFT JOIN velocity v ON v.subject = p.payer AND v.asset_id = p.asset_id
    LEFT JOIN usable_key k ON k.key_id = i.key_id
    -- LIMIT keeps this a look-up by index a key, whatever the planner believes of the table's size.
    LEFT JOIN LATERAL (SELECT payment_id FROM payments
                       WHERE merchant_id = i.merchant_id AND idempotency_key = i.idempotency_key LIMIT 1) u
           ON i.idempotency_key IS NOT NULL
), folded AS (
    SELECT c.*, fold_charge(slot, opening, voucher_max, amount, spendable, exposed, window_limit - level, objection)
                    OVER (PARTITION BY payer, asset_id ORDER BY ord) AS fold
    FROM checked c
), judged AS MATERIALIZED (
    SELECT f.*, fold[1] AS outcome, fold[2] AS charged_before
    FROM folded f
), captured AS MATERIALIZED (
    SELECT * FROM judged WHERE outcome = 0
), new_payments AS (
    INSERT INTO payments (merchant_id, payment_id, scheme, state, channel_no, asset_id, amount, cumulative,
                          voucher_max, payer, signature, request_hash, idempotency_key, batch_id, reference)
    SELECT merchant_id, payment_id, 1, 3, channel_no, asset_id, amount, voucher_max, voucher_max, payer, signature,
           request_hash, idempotency_key, %(batch_id)b::uuid, reference
    FROM captured ORDER BY ord
), new_legs AS (
    INSERT INTO ledger_legs (tenant_id, transfer_id, leg, account_id, asset_id, amount)
    SELECT merchant_id, payment_id, 0, channel_account, asset_id, -amount FROM captured
    UNION ALL
    SELECT merchant_id, payment_id, 1, captured_account, asset_id, amount FROM captured
), new_balances AS (
    INSERT INTO ledger_balances AS b (tenant_id, account_id, shard, balance)
    SELECT merchant_id, captured_account, %(shard)b::int2, sum(amount) FROM captured GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (tenant_id, account_id, shard) DO UPDATE SET balance = b.balance + EXCLUDED.balance
), moved_states AS (
    UPDATE channel_states s
    SET charged = last.voucher_max, voucher_max = last.voucher_max, voucher_signature = last.signature,
        first_unclaimed_at = COALESCE(s.first_unclaimed_at, now()), last_payment_at = now(), kept = true
    FROM (SELECT DISTINCT ON (merchant_id, channel_no) merchant_id, channel_no, voucher_max, signature
          FROM captured ORDER BY merchant_id, channel_no, ord DESC) last
    WHERE s.merchant_id = last.merchant_id AND s.channel_no = last.channel_no
), moved_windows AS (
    UPDATE velocity_windows w
    SET level = spent.level + spent.amount, level_at = GREATEST(w.level_at, now())
    FROM (SELECT payer, asset_id, min(level) AS level, sum(amount) AS amount FROM captured GROUP BY 1, 2) spent
    WHERE w.tenant_id = 0 AND w.subject = spent.payer AND w.asset_id = spent.asset_id
), leaf AS MATERIALIZED (
    SELECT '{"batch":"' || %(batch_id)b::uuid || '","count":' || count(*) || ',"kind":"payments.captured","members":"'
               || encode(string_agg(commitment, ''::bytea ORDER BY ord), 'hex') || '"}' AS body,
           count(*) AS members
    FROM captured
), new_leaf AS (
    INSERT INTO audit_leaves (tenant_id, leaf_id, kind, salt, body, leaf_hash)
    SELECT 0, %(batch_id)b::uuid, 'payments.captured', %(salt)b::bytea, body,
           sha256(%(salt)b::bytea || convert_to(body, 'UTF8'))
    FROM leaf WHERE members > 0
), new_event AS (
    INSERT INTO outbox (tenant_id, event_id, topic, payload)
    SELECT 0, %(batch_id)b::uuid, 'payments.captured', jsonb_build_object('batch', %(batch_id)b::uuid, 'count', members)
    FROM leaf WHERE members > 0
)
SELECT outcome::int2, charged_before::text, credited::text FROM judged ORDER BY ord

-- name: explain_refused
-- In a new snapshot: what the book holds for vouchers that were not captured.
SELECT i.ord, s.charged, s.credited, s.voucher_max AS held_max, s.voucher_signature AS held_signature,
       p.payment_id, p.request_hash, p.amount,
       k.payment_id AS key_payment_id, k.channel_no AS key_channel_no, k.voucher_max AS key_voucher_max,
       k.request_hash AS key_request_hash
FROM unnest(%(merchant_id)b::int4[], %(channel_no)b::int8[], %(voucher_max)b::numeric[], %(idempotency_key)b::text[])
     WITH ORDINALITY AS i(merchant_id, channel_no, voucher_max, idempotency_key, ord)
LEFT JOIN channel_states s USING (merchant_id, channel_no)
LEFT JOIN payments p ON p.merchant_id = i.merchant_id AND p.channel_no = i.channel_no AND p.voucher_max = i.voucher_max
LEFT JOIN payments k ON k.merchant_id = i.merchant_id AND k.idempotency_key = i.idempotency_key
ORDER BY i.ord

-- name: find_channel
SELECT c.merchant_id, c.channel_no, c.channel_id, c.payer, c.payer_authorizer, c.receiver, c.receiver_authorizer, c.token,
       c.chain_id, c.withdraw_delay, a.decimals
FROM channels c JOIN ledger_assets a USING (asset_id)
WHERE c.channel_id = %(channel_id)s

-- name: flagged_channels
SELECT channel_no, withdraw_requested_at <> 0 AS withdrawing, deficit > 0 AS in_deficit
FROM channel_states
WHERE withdraw_requested_at <> 0 OR deficit > 0

-- name: list_payments
-- Newest first; payment_id is time-ordered and unique, so it is cursor and sort order in one.
SELECT p.payment_id, p.scheme, p.state, p.amount, p.cumulative, p.payer, p.reference, c.channel_id,
       a.chain_id, a.address AS token, s.claimed, s.settled
FROM payments p
JOIN ledger_assets a USING (asset_id)
LEFT JOIN channels c USING (merchant_id, channel_no)
LEFT JOIN channel_states s USING (merchant_id, channel_no)
WHERE p.merchant_id = %(merchant_id)s
  AND (%(before)s::uuid IS NULL OR p.payment_id < %(before)s)
  AND (%(since)s::uuid IS NULL OR p.payment_id >= %(since)s)
  AND (%(until)s::uuid IS NULL OR p.payment_id < %(until)s)
  AND (%(channel_id)s::bytea IS NULL OR c.channel_id = %(channel_id)s)
  AND (%(payer)s::bytea IS NULL OR p.payer = %(payer)s)
  AND (%(scheme)s::smallint IS NULL OR p.scheme = %(scheme)s)
  AND (%(reference)s::text IS NULL OR p.reference = %(reference)s)
ORDER BY p.payment_id DESC
LIMIT %(limit)s

-- name: get_payment
SELECT p.payment_id, p.scheme, p.state, p.amount, p.cumulative, p.payer, p.reference, c.channel_id,
       a.chain_id, a.address AS token, s.claimed, s.settled
FROM payments p
JOIN ledger_assets a USING (asset_id)
LEFT JOIN channels c USING (merchant_id, channel_no)
LEFT JOIN channel_states s USING (merchant_id, channel_no)
WHERE p.merchant_id = %(merchant_id)s AND p.payment_id = %(payment_id)s

-- name: mirror_ages
-- Seconds since the chain was last seen whole, and since the claimer last showed that it works.
SELECT (SELECT extract(epoch FROM now() - seen_at)::float8
        FROM chain_mirror WHERE tenant_id = 0 AND chain_id = %(chain_id)s) AS chain_age,
       (SELECT extract(epoch FROM now() - beat_at)::float8
        FROM work_heartbeats WHERE tenant_id = 0 AND name = 'claims') AS claimer_age
