-- name: find_receiver
SELECT merchant_id FROM merchant_receivers WHERE receiver = %(receiver)s

-- name: find_asset
SELECT asset_id FROM ledger_assets WHERE chain_id = %(chain_id)s AND address = %(address)s

-- name: assets_of_chain
SELECT address, asset_id FROM ledger_assets WHERE chain_id = %(chain_id)s

-- name: all_receivers
SELECT receiver FROM merchant_receivers ORDER BY receiver

-- name: find_channel
SELECT merchant_id, channel_no, channel_id, receiver, asset_id, payer, channel_account, captured_account, withdraw_delay
FROM channels WHERE channel_id = %(channel_id)s

-- name: create_channel
INSERT INTO channels (merchant_id, channel_id, chain_id, asset_id, payer, payer_authorizer, receiver, receiver_authorizer,
                      token, withdraw_delay, salt, channel_account, captured_account)
VALUES (%(merchant_id)s, %(channel_id)s, %(chain_id)s, %(asset_id)s, %(payer)s, %(payer_authorizer)s, %(receiver)s,
        %(receiver_authorizer)s, %(token)s, %(withdraw_delay)s, %(salt)s, %(channel_account)s, %(captured_account)s)
ON CONFLICT (channel_id) DO NOTHING
RETURNING channel_no

-- name: create_state
INSERT INTO channel_states (merchant_id, channel_no) VALUES (%(merchant_id)s, %(channel_no)s)

-- name: create_window
INSERT INTO velocity_windows (subject, asset_id) VALUES (%(payer)s, %(asset_id)s) ON CONFLICT DO NOTHING

-- name: lock_channels
-- In the order in which payments lock them too.
SELECT c.merchant_id, c.channel_no, c.channel_id, c.receiver, c.asset_id, c.payer, c.channel_account, c.captured_account,
       c.withdraw_delay
FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
WHERE c.channel_no IN (
    SELECT channel_no FROM channels WHERE channel_id = ANY (%(channel_ids)s)
    UNION
    SELECT o.channel_no FROM channels o JOIN channel_states t USING (merchant_id, channel_no)
    WHERE o.receiver = ANY (%(receivers)s) AND t.claimed > t.settled
    UNION
    SELECT unnest(%(channel_nos)s::bigint[]))
ORDER BY c.channel_no
FOR UPDATE OF s

-- name: load_state
SELECT credited, charged, claimed, settled, withheld, withdraw_requested_at, withdraw_amount, refund_nonce
FROM channel_states WHERE merchant_id = %(merchant_id)s AND channel_no = %(channel_no)s
FOR UPDATE

-- name: store_state
UPDATE channel_states s
SET credited = %(credited)s, charged = %(charged)s, claimed = %(claimed)s, settled = %(settled)s,
    withheld = %(withheld)s, deficit = %(deficit)s, withdraw_requested_at = %(withdraw_requested_at)s,
    withdraw_amount = %(withdraw_amount)s, refund_nonce = %(refund_nonce)s,
    first_unclaimed_at = CASE
        WHEN %(claimed)s >= %(charged)s THEN NULL
        WHEN s.claimed = %(claimed)s THEN s.first_unclaimed_at
        ELSE COALESCE((SELECT to_timestamp(('x' || translate(left(p.payment_id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
                       FROM payments p
                       WHERE p.merchant_id = s.merchant_id AND p.channel_no = s.channel_no
                         AND p.voucher_max > %(claimed)s
                       ORDER BY p.voucher_max LIMIT 1), s.first_unclaimed_at, now()) END
WHERE s.merchant_id = %(merchant_id)s AND s.channel_no = %(channel_no)s

-- name: withhold_again
-- A refund of ours that left the chain with its block is sent again: until that is over, nobody may spend what it takes.
WITH ours AS (
    UPDATE x402_settlements x SET withheld = x.withheld + %(amount)s
    FROM chain_attempts a
    WHERE a.tenant_id = 0 AND a.tx_hash = %(tx_hash)s AND x.transaction_id = a.transaction_id
      AND x.merchant_id = %(merchant_id)s AND x.channel_no = %(channel_no)s
    RETURNING x.merchant_id, x.channel_no
)
UPDATE channel_states s SET withheld = s.withheld + %(amount)s
FROM ours
WHERE s.merchant_id = ours.merchant_id AND s.channel_no = ours.channel_no

-- name: unsettled_of_receiver
SELECT c.merchant_id, c.channel_no, c.channel_id, c.receiver, c.asset_id, c.payer, c.channel_account, c.captured_account,
       c.withdraw_delay
FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
WHERE c.receiver = %(receiver)s AND c.asset_id = %(asset_id)s AND s.claimed > s.settled
ORDER BY c.channel_no

-- name: channel_by_no
SELECT merchant_id, channel_no, channel_id, receiver, asset_id, payer, channel_account, captured_account, withdraw_delay
FROM channels WHERE merchant_id = %(merchant_id)s AND channel_no = %(channel_no)s

-- name: add_pending_deposit
INSERT INTO pending_deposits (merchant_id, channel_no, chain_id, block_hash, log_index, block_number, transfer_id, amount)
VALUES (%(merchant_id)s, %(channel_no)s, %(chain_id)s, %(block_hash)s, %(log_index)s, %(block_number)s, %(transfer_id)s,
        %(amount)s)

-- name: drop_pending_deposit
DELETE FROM pending_deposits
WHERE merchant_id = %(merchant_id)s AND chain_id = %(chain_id)s AND block_hash = %(block_hash)s
  AND log_index = %(log_index)s
RETURNING amount

-- name: take_due_deposits
DELETE FROM pending_deposits
WHERE chain_id = %(chain_id)s AND block_number <= %(number)s
RETURNING merchant_id, channel_no, transfer_id, amount

-- name: take_deposits_of_channel
DELETE FROM pending_deposits WHERE merchant_id = %(merchant_id)s AND channel_no = %(channel_no)s
RETURNING merchant_id, channel_no, transfer_id, amount

-- name: add_outside_payment
INSERT INTO payments (merchant_id, payment_id, scheme, state, channel_no, asset_id, amount, cumulative, payer, request_hash,
                      batch_id)
VALUES (%(merchant_id)s, %(payment_id)s, 3, 3, %(channel_no)s, %(asset_id)s, %(amount)s, %(cumulative)s, %(payer)s,
        %(request_hash)s, %(payment_id)s)

-- name: fail_payment
UPDATE payments SET state = 6 WHERE merchant_id = %(merchant_id)s AND payment_id = %(payment_id)s AND state = 3

-- name: revive_exact_payment
UPDATE payments SET state = 3
WHERE merchant_id = %(merchant_id)s AND payment_id = (
    SELECT payment_id FROM payments
    WHERE merchant_id = %(merchant_id)s AND request_hash = %(request_hash)s AND scheme = 2 AND state = 2
    LIMIT 1 FOR UPDATE)
RETURNING payment_id

-- name: add_exact_payment
INSERT INTO payments (merchant_id, payment_id, scheme, state, asset_id, amount, payer, request_hash, batch_id)
VALUES (%(merchant_id)s, %(payment_id)s, 2, 3, %(asset_id)s, %(amount)s, %(payer)s, %(request_hash)s, %(payment_id)s)

-- name: include_exact_payment
INSERT INTO exact_payments (merchant_id, payment_id, chain_id, tx_hash, block_number)
VALUES (%(merchant_id)s, %(payment_id)s, %(chain_id)s, %(tx_hash)s, %(block_number)s)

-- name: exclude_exact_payment
WITH gone AS (
    DELETE FROM exact_payments WHERE merchant_id = %(merchant_id)s AND payment_id = %(payment_id)s
)
UPDATE payments SET state = 2
WHERE merchant_id = %(merchant_id)s AND payment_id = %(payment_id)s AND state IN (3, 4)

-- name: finalize_exact_payments
WITH due AS (
    UPDATE exact_payments SET is_final = true
    WHERE chain_id = %(chain_id)s AND NOT is_final AND block_number <= %(number)s
    RETURNING merchant_id, payment_id
)
UPDATE payments p SET state = 4 FROM due
WHERE p.merchant_id = due.merchant_id AND p.payment_id = due.payment_id AND p.state = 3
RETURNING p.merchant_id, p.payment_id

-- name: unfollowed_receivers
SELECT m.merchant_id, m.receiver FROM merchant_receivers m
WHERE NOT EXISTS (SELECT FROM followed_receivers f
                  WHERE f.merchant_id = m.merchant_id AND f.receiver = m.receiver AND f.chain_id = %(chain_id)s)
ORDER BY m.receiver

-- name: follow_receiver
INSERT INTO followed_receivers (merchant_id, receiver, chain_id, since_number)
VALUES (%(merchant_id)s, %(receiver)s, %(chain_id)s, %(number)s)
ON CONFLICT DO NOTHING

-- name: register_escrow
INSERT INTO followed_escrows (chain_id, escrow, start_block, confirmations)
VALUES (%(chain_id)s, %(escrow)s, %(start_block)s, %(confirmations)s)
ON CONFLICT (tenant_id, chain_id) DO UPDATE SET confirmations = EXCLUDED.confirmations
RETURNING escrow

-- name: current_escrow
SELECT chain_id, escrow, start_block, confirmations FROM followed_escrows WHERE tenant_id = 0 AND is_current

-- name: pending_channels
SELECT channel_no FROM pending_deposits WHERE chain_id = %(chain_id)s
