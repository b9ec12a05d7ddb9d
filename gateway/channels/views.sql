-- name: list_channels
SELECT c.channel_no, c.channel_id, c.chain_id, c.payer, c.payer_authorizer, c.receiver, c.receiver_authorizer, c.token,
       c.withdraw_delay, c.salt, c.created_at, s.credited, s.charged, s.claimed, s.settled, s.withheld, s.deficit,
       s.withdraw_requested_at, s.withdraw_amount, s.last_payment_at
FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
WHERE c.merchant_id = %(merchant_id)s
  AND (%(before)s::bigint IS NULL OR c.channel_no < %(before)s)
  AND (%(payer)s::bytea IS NULL OR c.payer = %(payer)s)
  AND (%(withdrawing)s::boolean IS NULL OR (s.withdraw_requested_at <> 0) = %(withdrawing)s)
ORDER BY c.channel_no DESC
LIMIT %(limit)s

-- name: get_channel
SELECT c.channel_no, c.channel_id, c.chain_id, c.payer, c.payer_authorizer, c.receiver, c.receiver_authorizer, c.token,
       c.withdraw_delay, c.salt, c.created_at, s.credited, s.charged, s.claimed, s.settled, s.withheld, s.deficit,
       s.withdraw_requested_at, s.withdraw_amount, s.last_payment_at
FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
WHERE c.merchant_id = %(merchant_id)s AND c.channel_id = %(channel_id)s
