-- name: open_account
WITH opened AS (
    INSERT INTO ledger_accounts (tenant_id, kind, reference, asset_id)
    VALUES (%(tenant_id)s, %(kind)s, %(reference)s, %(asset_id)s)
    ON CONFLICT (tenant_id, kind, reference, asset_id) DO NOTHING
    RETURNING account_id
), floored AS (
    INSERT INTO ledger_balances (tenant_id, account_id, shard, balance, floor)
    SELECT %(tenant_id)s, account_id, 0, 0, %(floor)s::numeric FROM opened WHERE %(floor)s::numeric IS NOT NULL
)
SELECT account_id FROM opened

-- name: find_account
SELECT account_id FROM ledger_accounts
WHERE tenant_id = %(tenant_id)s AND kind = %(kind)s AND reference = %(reference)s AND asset_id = %(asset_id)s

-- name: find_asset
SELECT asset_id, decimals FROM ledger_assets WHERE chain_id = %(chain_id)s AND address = %(address)s

-- name: open_asset
INSERT INTO ledger_assets (chain_id, address, symbol, decimals)
VALUES (%(chain_id)s, %(address)s, %(symbol)s, %(decimals)s)
ON CONFLICT (chain_id, address) DO UPDATE SET symbol = EXCLUDED.symbol
RETURNING asset_id, decimals

-- name: post
-- One statement for a whole batch of transfers. A transfer whose legs are already there is left out.
-- A leg's account is looked up: one that is not there, or of another tenant or asset, fails as NULL.
WITH leg AS MATERIALIZED (
    SELECT t.tenant_id, t.transfer_id, t.leg,
           (SELECT a.account_id FROM ledger_accounts a
            WHERE a.tenant_id = t.tenant_id AND a.account_id = t.account_id AND a.asset_id = t.asset_id) AS account_id,
           t.asset_id, t.amount
    FROM unnest(%(tenant_id)b::int4[], %(transfer_id)b::uuid[], %(leg)b::int2[], %(account_id)b::int8[],
                %(asset_id)b::int2[], %(amount)b::numeric[])
         AS t(tenant_id, transfer_id, leg, account_id, asset_id, amount)
), written AS (
    INSERT INTO ledger_legs (tenant_id, transfer_id, leg, account_id, asset_id, amount)
    SELECT * FROM leg ORDER BY tenant_id, transfer_id, leg
    ON CONFLICT DO NOTHING
    RETURNING tenant_id, transfer_id, leg, account_id, amount
), moved AS (
    SELECT tenant_id, account_id, sum(amount) AS amount,
           EXISTS (SELECT FROM ledger_balances f
                   WHERE f.tenant_id = w.tenant_id AND f.account_id = w.account_id AND f.shard = 0
                     AND f.floor IS NOT NULL) AS floored
    FROM written w
    WHERE NOT (account_id = ANY (%(held_elsewhere)b::int8[]))
    GROUP BY tenant_id, account_id
    ORDER BY tenant_id, account_id
), balances AS (
    INSERT INTO ledger_balances AS b (tenant_id, account_id, shard, balance)
    SELECT tenant_id, account_id, CASE WHEN floored THEN 0 ELSE %(shard)b::int2 END, amount FROM moved WHERE NOT floored
    ON CONFLICT (tenant_id, account_id, shard) DO UPDATE SET balance = b.balance + EXCLUDED.balance
), floors AS (
    UPDATE ledger_balances b SET balance = b.balance + m.amount
    FROM moved m
    WHERE m.floored AND b.tenant_id = m.tenant_id AND b.account_id = m.account_id AND b.shard = 0
)
SELECT tenant_id, transfer_id, leg FROM written

-- name: legs_of
SELECT leg, account_id, asset_id, amount FROM ledger_legs
WHERE tenant_id = %(tenant_id)s AND transfer_id = %(transfer_id)s
ORDER BY leg

-- name: balance
SELECT COALESCE(sum(balance), 0) FROM ledger_balances
WHERE tenant_id = %(tenant_id)s AND account_id = %(account_id)s

-- name: record_change
WITH event AS (
    INSERT INTO outbox (tenant_id, event_id, topic, payload)
    VALUES (%(tenant_id)s, %(change_id)s, %(topic)s, %(body)s::text::jsonb)
)
INSERT INTO audit_leaves (tenant_id, leaf_id, kind, salt, body, leaf_hash)
VALUES (%(tenant_id)s, %(change_id)s, %(topic)s, %(salt)s, %(body)s, sha256(%(salt)s || convert_to(%(body)s, 'UTF8')))
