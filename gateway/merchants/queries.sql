-- name: create_merchant
INSERT INTO merchants (public_id, name) VALUES (%(public_id)s, %(name)s) RETURNING merchant_id

-- name: find_merchant
SELECT merchant_id, public_id, name FROM merchants WHERE public_id = %(public_id)s

-- name: add_receiver
INSERT INTO merchant_receivers (merchant_id, receiver) VALUES (%(merchant_id)s, %(receiver)s)
ON CONFLICT (receiver) DO NOTHING
RETURNING merchant_id

-- name: create_key
INSERT INTO api_keys (merchant_id, key_hash, label, can_write)
VALUES (%(merchant_id)s, %(key_hash)s, %(label)s, %(can_write)s)
RETURNING key_id

-- name: revoke_key
UPDATE api_keys SET revoked_at = now()
WHERE merchant_id = %(merchant_id)s AND key_id = %(key_id)s AND revoked_at IS NULL
RETURNING key_id

-- name: require_x402_key
UPDATE merchants SET x402_key_required = %(required)s WHERE merchant_id = %(merchant_id)s

-- name: find_key
SELECT k.key_id, k.merchant_id, m.public_id, k.can_write
FROM api_keys k JOIN merchants m USING (merchant_id)
WHERE k.key_hash = %(key_hash)s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
  AND m.suspended_at IS NULL
