-- name: due_claims
-- In flight: asked for and not known to have failed, or mined where the book has not followed yet.
WITH flight AS (
    SELECT r.merchant_id, r.channel_no, max(r.total) AS total
    FROM claim_rows r
    JOIN chain_transactions t ON t.tenant_id = 0 AND t.transaction_id = r.transaction_id
    WHERE t.state IN (1, 2, 3)
       OR (t.state = 4 AND (NOT t.is_final OR t.block_number > COALESCE((SELECT max(head_number) FROM chain_mirror), 0)))
    GROUP BY 1, 2
), unclaimed AS (
    SELECT s.*, LEAST(s.charged, s.credited) AS total, GREATEST(s.claimed, COALESCE(f.total, 0)) AS covered,
           COALESCE(f.total, 0) > s.claimed AS in_flight
    FROM channel_states s
    LEFT JOIN flight f USING (merchant_id, channel_no)
    WHERE s.first_unclaimed_at IS NOT NULL AND s.voucher_signature IS NOT NULL AND s.voucher_max >= s.charged
      AND (%(channel_nos)s::bigint[] IS NULL OR s.channel_no = ANY (%(channel_nos)s))
)
SELECT c.merchant_id, c.channel_no, c.channel_id, c.payer, c.payer_authorizer, c.receiver, c.receiver_authorizer, c.token,
       c.withdraw_delay, c.salt, u.total, u.voucher_max, u.voucher_signature, u.withdraw_requested_at
FROM unclaimed u
JOIN channels c USING (merchant_id, channel_no)
LEFT JOIN claim_faults x USING (merchant_id, channel_no)
WHERE c.receiver_authorizer = %(authorizer)s AND c.chain_id = %(chain_id)s
  AND u.total > u.covered
  AND (x.next_try_at IS NULL OR x.next_try_at <= now())
  AND (u.withdraw_requested_at <> 0 OR u.total - u.covered >= %(value_least)s
       -- The oldest voucher is in the claim under way, if there is one: it makes no second claim due.
       OR (NOT u.in_flight AND u.first_unclaimed_at <= now() - make_interval(secs => %(age_seconds)s)))
ORDER BY (u.withdraw_requested_at <> 0) DESC, u.first_unclaimed_at, c.channel_no
LIMIT %(limit)s

-- name: lock_claims
SELECT pg_advisory_xact_lock(hashtextextended('lockgate claims', 0))

-- name: add_claim_row
INSERT INTO claim_rows (merchant_id, channel_no, transaction_id, total)
VALUES (%(merchant_id)s, %(channel_no)s, %(transaction_id)s, %(total)s)

-- name: clear_fault
DELETE FROM claim_faults WHERE merchant_id = %(merchant_id)s AND channel_no = %(channel_no)s

-- name: note_fault
INSERT INTO claim_faults AS f (merchant_id, channel_no, reason, next_try_at)
VALUES (%(merchant_id)s, %(channel_no)s, %(reason)s, now() + interval '30 seconds')
ON CONFLICT (merchant_id, channel_no) DO UPDATE
SET reason = EXCLUDED.reason, tries = f.tries + 1,
    next_try_at = now() + LEAST(interval '1 hour', interval '30 seconds' * power(2, LEAST(f.tries, 10)))

-- name: due_settles
SELECT c.merchant_id, c.receiver, c.asset_id, c.token, sum(s.claimed - s.settled) AS amount
FROM channel_states s
JOIN channels c USING (merchant_id, channel_no)
WHERE s.claimed > s.settled AND c.chain_id = %(chain_id)s
GROUP BY 1, 2, 3, 4
HAVING sum(s.claimed - s.settled) >= %(value_least)s
   AND NOT EXISTS (
       SELECT FROM settle_runs r
       JOIN chain_transactions t ON t.tenant_id = 0 AND t.transaction_id = r.transaction_id
       WHERE r.merchant_id = c.merchant_id AND r.receiver = c.receiver AND r.asset_id = c.asset_id
         AND (t.state IN (1, 2, 3)
              OR (t.state = 4 AND t.block_number > COALESCE((SELECT max(head_number) FROM chain_mirror), 0))))
   AND (SELECT count(*)
        FROM settle_runs r
        JOIN chain_transactions t ON t.tenant_id = 0 AND t.transaction_id = r.transaction_id
        WHERE r.merchant_id = c.merchant_id AND r.receiver = c.receiver AND r.asset_id = c.asset_id
          AND t.state IN (5, 6, 7) AND r.created_at > now() - interval '10 minutes') < %(failures_most)s
ORDER BY 1, 2, 3
LIMIT %(limit)s

-- name: add_settle_run
INSERT INTO settle_runs (merchant_id, receiver, asset_id, transaction_id)
VALUES (%(merchant_id)s, %(receiver)s, %(asset_id)s, %(transaction_id)s)

-- name: prune_runs
WITH old AS (
    SELECT transaction_id FROM chain_transactions
    WHERE tenant_id = 0 AND is_final AND changed_at < now() - interval '7 days' LIMIT 1000
), claims AS (
    DELETE FROM claim_rows WHERE transaction_id IN (SELECT transaction_id FROM old)
)
DELETE FROM settle_runs WHERE transaction_id IN (SELECT transaction_id FROM old)

-- name: unsettled_by_merchant
-- Every merchant, so that what is settled shows as nothing and not as what it was before.
SELECT m.merchant_id, COALESCE(u.amount, 0)::numeric(40,0) AS amount
FROM merchants m
LEFT JOIN (SELECT merchant_id, sum(charged - settled) AS amount
           FROM channel_states WHERE charged > settled GROUP BY 1) u USING (merchant_id)

-- name: oldest_unclaimed
SELECT COALESCE(extract(epoch FROM now() - min(first_unclaimed_at)), 0)::float8 FROM channel_states
WHERE first_unclaimed_at IS NOT NULL

-- name: withdrawals_at_risk
-- Withdrawals that may be finalized soon while something of the channel is still unclaimed.
SELECT c.channel_id, s.withdraw_requested_at + c.withdraw_delay - extract(epoch FROM now())::bigint AS seconds_left
FROM channel_states s JOIN channels c USING (merchant_id, channel_no)
WHERE s.withdraw_requested_at <> 0 AND s.charged > s.claimed
  AND s.withdraw_requested_at + c.withdraw_delay - extract(epoch FROM now()) < %(margin_seconds)s

-- name: unclaimable
SELECT count(*) FROM channel_states s JOIN channels c USING (merchant_id, channel_no)
WHERE s.first_unclaimed_at IS NOT NULL AND s.kept AND c.receiver_authorizer <> %(authorizer)s

-- name: release_what_is_over
-- What a refund kept back while its outcome was open, when nobody came back to ask. The rows' locks and their amounts
-- make it happen once, beside the facilitator's own release. Channels are locked first and by number, as payments do.
WITH candidate AS MATERIALIZED (
    SELECT x.merchant_id, x.settlement_key, x.channel_no
    FROM x402_settlements x
    JOIN chain_transactions t ON t.tenant_id = 0 AND t.transaction_id = x.transaction_id
    WHERE x.withheld > 0 AND t.is_final
      AND (t.state IN (5, 6, 7)
           OR (t.state = 4 AND t.block_number <= (SELECT max(head_number) FROM chain_mirror)))
    ORDER BY x.channel_no
    LIMIT %(limit)s
), channel AS MATERIALIZED (
    SELECT s.merchant_id, s.channel_no FROM channel_states s
    WHERE (s.merchant_id, s.channel_no) IN (SELECT merchant_id, channel_no FROM candidate)
    ORDER BY s.channel_no
    FOR UPDATE
), over AS MATERIALIZED (
    SELECT x.merchant_id, x.settlement_key, x.channel_no, x.withheld
    FROM channel c
    JOIN candidate d USING (merchant_id, channel_no)
    JOIN x402_settlements x USING (merchant_id, settlement_key)
    WHERE x.withheld > 0
    FOR UPDATE OF x
), released AS (
    UPDATE x402_settlements x SET withheld = 0 FROM over o
    WHERE x.merchant_id = o.merchant_id AND x.settlement_key = o.settlement_key
)
UPDATE channel_states s SET withheld = s.withheld - o.amount
FROM (SELECT merchant_id, channel_no, sum(withheld) AS amount FROM over GROUP BY 1, 2) o
WHERE s.merchant_id = o.merchant_id AND s.channel_no = o.channel_no
RETURNING s.merchant_id, s.channel_no, o.amount
