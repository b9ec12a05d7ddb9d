-- name: take_lease
INSERT INTO work_leases AS l (name, holder, leased_until)
VALUES (%(name)s, %(holder)s, now() + make_interval(secs => %(seconds)s))
ON CONFLICT (tenant_id, name) DO UPDATE
SET holder = EXCLUDED.holder, fence = l.fence + 1, leased_until = EXCLUDED.leased_until
WHERE l.leased_until <= now()
RETURNING fence

-- name: confirm_lease
SELECT fence FROM work_leases
WHERE tenant_id = 0 AND name = %(name)s AND fence = %(fence)s AND leased_until > now()
FOR SHARE

-- name: release_lease
UPDATE work_leases SET leased_until = now()
WHERE tenant_id = 0 AND name = %(name)s AND fence = %(fence)s

-- name: beat
INSERT INTO work_heartbeats (name, beat_at, holder) VALUES (%(name)s, now(), %(holder)s)
ON CONFLICT (tenant_id, name) DO UPDATE SET beat_at = EXCLUDED.beat_at, holder = EXCLUDED.holder

-- name: heartbeat_age
SELECT extract(epoch FROM now() - beat_at)::float8 FROM work_heartbeats WHERE tenant_id = 0 AND name = %(name)s

-- name: lease_events
WITH due AS (
    SELECT tenant_id, event_id FROM outbox
    WHERE delivered_at IS NULL AND parked_at IS NULL
      AND (leased_until IS NULL OR leased_until <= now())
      AND (next_attempt_at IS NULL OR next_attempt_at <= now())
    ORDER BY event_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox o
SET fence = o.fence + 1, leased_until = now() + make_interval(secs => %(seconds)s), attempts = o.attempts + 1
FROM due
WHERE o.tenant_id = due.tenant_id AND o.event_id = due.event_id
RETURNING o.tenant_id, o.event_id, o.topic, o.payload, o.attempts, o.fence

-- name: hold_event
-- The handler's effect and the delivery are one transaction; whoever holds an older fence has lost the row.
SELECT 1 FROM outbox
WHERE tenant_id = %(tenant_id)s AND event_id = %(event_id)s AND fence = %(fence)s AND delivered_at IS NULL
FOR UPDATE

-- name: delivered
UPDATE outbox SET delivered_at = now(), leased_until = NULL, last_error = NULL
WHERE tenant_id = %(tenant_id)s AND event_id = %(event_id)s AND fence = %(fence)s AND delivered_at IS NULL

-- name: delivered_many
UPDATE outbox o SET delivered_at = now(), leased_until = NULL, last_error = NULL
FROM unnest(%(tenant_ids)s::int4[], %(event_ids)s::uuid[], %(fences)s::int8[]) AS d(tenant_id, event_id, fence)
WHERE o.tenant_id = d.tenant_id AND o.event_id = d.event_id AND o.fence = d.fence AND o.delivered_at IS NULL

-- name: failed
UPDATE outbox
SET leased_until = NULL, last_error = %(error)s,
    next_attempt_at = now() + LEAST(interval '10 minutes', interval '1 second' * power(2, LEAST(attempts, 12))),
    parked_at = CASE WHEN attempts >= %(attempts_most)s THEN now() END
WHERE tenant_id = %(tenant_id)s AND event_id = %(event_id)s AND fence = %(fence)s AND delivered_at IS NULL
RETURNING parked_at IS NOT NULL

-- name: outbox_state
SELECT count(*) FILTER (WHERE parked_at IS NULL),
       count(*) FILTER (WHERE parked_at IS NOT NULL),
       COALESCE(extract(epoch FROM now() - min(created_at) FILTER (WHERE parked_at IS NULL)), 0)::float8
FROM outbox WHERE delivered_at IS NULL
