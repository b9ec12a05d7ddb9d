-- name: legs_by_asset
SELECT asset_id, COALESCE(sum(amount) FILTER (WHERE amount > 0), 0) AS credits,
       COALESCE(-sum(amount) FILTER (WHERE amount < 0), 0) AS debits, count(*) AS legs
FROM ledger_legs GROUP BY asset_id ORDER BY asset_id

-- name: unbalanced_transfers
SELECT tenant_id, transfer_id, sum(amount), count(DISTINCT asset_id)
FROM ledger_legs GROUP BY tenant_id, transfer_id
HAVING sum(amount) <> 0 OR count(DISTINCT asset_id) > 1
LIMIT %(limit)s

-- name: accounts
-- What the legs say of each account, beside what the balances say. A channel's balance is kept by channel_states.
WITH legs AS (
    SELECT tenant_id, account_id, sum(amount) AS amount FROM ledger_legs GROUP BY 1, 2
), balances AS (
    SELECT tenant_id, account_id, sum(balance) AS amount FROM ledger_balances GROUP BY 1, 2
)
SELECT a.tenant_id, a.account_id, a.kind, a.reference, a.asset_id, COALESCE(l.amount, 0) AS legs,
       CASE WHEN a.kind = 'channel' THEN s.credited - s.charged ELSE COALESCE(b.amount, 0) END AS balance
FROM ledger_accounts a
LEFT JOIN legs l USING (tenant_id, account_id)
LEFT JOIN balances b USING (tenant_id, account_id)
LEFT JOIN channels c ON a.kind = 'channel' AND c.merchant_id = a.tenant_id AND c.channel_account = a.account_id
LEFT JOIN channel_states s ON s.merchant_id = c.merchant_id AND s.channel_no = c.channel_no

-- name: legs_without_account
SELECT DISTINCT l.tenant_id, l.account_id FROM ledger_legs l
WHERE NOT EXISTS (SELECT FROM ledger_accounts a WHERE a.tenant_id = l.tenant_id AND a.account_id = l.account_id
                    AND a.asset_id = l.asset_id)
LIMIT %(limit)s

-- name: channels
SELECT c.merchant_id, c.channel_no, c.channel_id, c.receiver, c.token, c.asset_id, s.credited, s.charged, s.claimed,
       s.settled, s.deficit, COALESCE(d.amount, 0) AS pending
FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
LEFT JOIN (SELECT merchant_id, channel_no, sum(amount) AS amount FROM pending_deposits GROUP BY 1, 2) d
    USING (merchant_id, channel_no)
WHERE c.chain_id = %(chain_id)s

-- name: payments_by_channel
-- Failed and expired payments moved nothing; refunds are payouts of their own.
SELECT merchant_id, channel_no, sum(amount) FROM payments
WHERE channel_no IS NOT NULL AND state NOT IN (1, 2, 5, 6) GROUP BY 1, 2

-- name: exact_payments
SELECT merchant_id, asset_id, sum(amount) FROM payments WHERE scheme = 2 AND state IN (3, 4, 7, 8) GROUP BY 1, 2

-- name: logs_after
-- What the book has from blocks above the one that it is compared at.
SELECT block_hash, log_index, block_number, tx_hash, address, topics, data, effect
FROM chain_logs
WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND is_applied AND block_number > %(number)s
ORDER BY block_number, log_index

-- name: block_hash
SELECT hash FROM chain_blocks WHERE tenant_id = 0 AND chain_id = %(chain_id)s AND number = %(number)s
