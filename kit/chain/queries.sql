-- name: find_anchor
SELECT number, hash FROM chain_anchors WHERE tenant_id = 0 AND chain_id = %(chain_id)s

-- name: set_anchor
INSERT INTO chain_anchors (chain_id, number, hash) VALUES (%(chain_id)s, %(number)s, %(hash)s)
ON CONFLICT DO NOTHING

-- name: request
INSERT INTO chain_transactions (transaction_id, lane, dedup_key, purpose, to_address, value, data, gas_limit, gas_most,
                                valid_until)
VALUES (%(transaction_id)s, %(lane)s, %(dedup_key)s, %(purpose)s, %(to_address)s, %(value)s, %(data)s, %(gas_limit)s,
        %(gas_most)s, %(valid_until)s)
ON CONFLICT (tenant_id, lane, dedup_key) DO NOTHING
RETURNING transaction_id

-- name: find_by_dedup_key
SELECT transaction_id, to_address, value, data, state, is_final
FROM chain_transactions
WHERE tenant_id = 0 AND lane = %(lane)s AND dedup_key = %(dedup_key)s
FOR UPDATE

-- name: reopen
-- Only for what provably never happened and never will: then the nonce, if there was one, belongs to somebody else.
UPDATE chain_transactions
SET state = 1, is_final = false, nonce = NULL, reason = NULL, valid_until = %(valid_until)s, changed_at = now()
WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s AND state IN (6, 7) AND is_final

-- name: find
SELECT transaction_id, lane, dedup_key, purpose, to_address, value, data, gas_limit, gas_most, valid_until, state, is_final,
       nonce, mined_hash, block_hash, block_number, gas_used, gas_price, reason
FROM chain_transactions
WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s

-- name: find_for_update
SELECT transaction_id, lane, dedup_key, purpose, to_address, value, data, gas_limit, gas_most, valid_until, state, is_final,
       nonce, mined_hash, block_hash, block_number, gas_used, gas_price, reason
FROM chain_transactions
WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s
FOR UPDATE

-- name: open_of_lane
SELECT transaction_id, lane, dedup_key, purpose, to_address, value, data, gas_limit, gas_most, valid_until, state, is_final,
       nonce, mined_hash, block_hash, block_number, gas_used, gas_price, reason
FROM chain_transactions
WHERE tenant_id = 0 AND lane = %(lane)s AND NOT is_final
ORDER BY nonce NULLS LAST, transaction_id
LIMIT %(limit)s

-- name: open_lane
INSERT INTO chain_lanes (lane, chain_id, sender, next_nonce)
VALUES (%(lane)s, %(chain_id)s, %(sender)s, %(next_nonce)s)
ON CONFLICT DO NOTHING

-- name: lock_lane
SELECT chain_id, sender, next_nonce FROM chain_lanes WHERE tenant_id = 0 AND lane = %(lane)s FOR UPDATE

-- name: move_lane
UPDATE chain_lanes SET next_nonce = %(next_nonce)s WHERE tenant_id = 0 AND lane = %(lane)s

-- name: nonces_taken
SELECT nonce FROM chain_transactions
WHERE tenant_id = 0 AND lane = %(lane)s AND nonce >= %(first)s

-- name: store_attempt
INSERT INTO chain_attempts (lane, nonce, attempt, transaction_id, kind, tx_hash, raw, max_fee, priority_fee)
SELECT %(lane)s, %(nonce)s, COALESCE(max(attempt), 0) + 1, %(transaction_id)s, %(kind)s, %(tx_hash)s, %(raw)s, %(max_fee)s,
       %(priority_fee)s
FROM chain_attempts WHERE tenant_id = 0 AND lane = %(lane)s AND nonce = %(nonce)s

-- name: attempts
SELECT attempt, kind, tx_hash, raw, max_fee, priority_fee, signed_at, last_broadcast_at
FROM chain_attempts
WHERE tenant_id = 0 AND lane = %(lane)s AND nonce = %(nonce)s AND transaction_id = %(transaction_id)s
ORDER BY attempt

-- name: mark_signed
UPDATE chain_transactions SET state = 2, nonce = %(nonce)s, gas_limit = %(gas_limit)s, changed_at = now()
WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s AND state = 1

-- name: mark_broadcast
WITH attempt AS (
    UPDATE chain_attempts SET last_broadcast_at = now() WHERE tenant_id = 0 AND tx_hash = %(tx_hash)s
)
UPDATE chain_transactions SET state = 3, reason = NULL, changed_at = now()
WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s AND state IN (2, 3)

-- name: mark_trouble
UPDATE chain_transactions SET reason = %(reason)s
WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s AND state IN (1, 2, 3)

-- name: settle_state
UPDATE chain_transactions
SET state = %(state)s, is_final = %(is_final)s, mined_hash = %(mined_hash)s, block_hash = %(block_hash)s,
    block_number = %(block_number)s, gas_used = %(gas_used)s, gas_price = %(gas_price)s, reason = %(reason)s,
    changed_at = now()
WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s AND state = %(from_state)s AND NOT is_final
RETURNING lane, dedup_key, purpose

-- name: hashes_of
SELECT tx_hash, kind FROM chain_attempts WHERE tenant_id = 0 AND transaction_id = %(transaction_id)s ORDER BY nonce, attempt

-- name: lock_mirror
SELECT head_number, head_hash, head_time, node_number, finalized_number, seen_at, trouble
FROM chain_mirror WHERE tenant_id = 0 AND chain_id = %(chain_id)s
FOR UPDATE

-- name: share_mirror
SELECT head_number, head_hash, head_time, node_number, finalized_number, seen_at, trouble
FROM chain_mirror WHERE tenant_id = 0 AND chain_id = %(chain_id)s
FOR SHARE

-- name: find_mirror
SELECT head_number, head_hash, head_time, node_number, finalized_number, seen_at, trouble
FROM chain_mirror WHERE tenant_id = 0 AND chain_id = %(chain_id)s

-- name: start_mirror
INSERT INTO chain_mirror (chain_id, head_number, head_hash, head_time, node_number, seen_at)
VALUES (%(chain_id)s, %(number)s, %(hash)s, to_timestamp(%(time)s), %(number)s, now())
ON CONFLICT DO NOTHING

-- name: move_mirror
UPDATE chain_mirror SET head_number = %(number)s, head_hash = %(hash)s, head_time = %(time)s
WHERE tenant_id = 0 AND chain_id = %(chain_id)s

-- name: note_node
UPDATE chain_mirror
SET node_number = %(node_number)s, finalized_number = GREATEST(finalized_number, %(finalized_number)s), trouble = NULL,
    seen_at = CASE WHEN %(caught_up)s THEN now() ELSE seen_at END
WHERE tenant_id = 0 AND chain_id = %(chain_id)s

-- name: note_trouble
UPDATE chain_mirror SET trouble = %(trouble)s WHERE tenant_id = 0 AND chain_id = %(chain_id)s

-- name: add_block
INSERT INTO chain_blocks (chain_id, number, hash, parent_hash, block_time)
VALUES (%(chain_id)s, %(number)s, %(hash)s, %(parent_hash)s, to_timestamp(%(time)s))

-- name: find_block
SELECT hash, parent_hash, block_time FROM chain_blocks
WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND number = %(number)s

-- name: remove_block
DELETE FROM chain_blocks WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND number = %(number)s

-- name: prune_blocks
DELETE FROM chain_blocks WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND number < %(number)s

-- name: store_log
-- A log that somebody else is storing makes this wait for their commit; zero rows then say that it is there.
INSERT INTO chain_logs (chain_id, block_hash, log_index, block_number, tx_hash, address, topics, data, effect)
VALUES (%(chain_id)s, %(block_hash)s, %(log_index)s, %(block_number)s, %(tx_hash)s, %(address)s, %(topics)s, %(data)s,
        '{}')
ON CONFLICT DO NOTHING
RETURNING round

-- name: apply_log_again
UPDATE chain_logs SET is_applied = true, round = round + 1, changed_at = now()
WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND block_hash = %(block_hash)s AND log_index = %(log_index)s
  AND NOT is_applied
RETURNING round

-- name: set_effect
UPDATE chain_logs SET effect = %(effect)s
WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND block_hash = %(block_hash)s AND log_index = %(log_index)s

-- name: forget_log
-- A log without effect is not kept; only the one who has just stored it may forget it.
DELETE FROM chain_logs
WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND block_hash = %(block_hash)s AND log_index = %(log_index)s

-- name: undone_log
UPDATE chain_logs SET is_applied = false, changed_at = now()
WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND block_hash = %(block_hash)s AND log_index = %(log_index)s

-- name: logs_to_undo
SELECT block_hash, log_index, block_number, tx_hash, address, topics, data, effect, round
FROM chain_logs
WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND block_number = %(number)s AND is_applied
  AND (%(except_hash)s::bytea IS NULL OR block_hash <> %(except_hash)s)
ORDER BY block_number DESC, log_index DESC
FOR UPDATE
