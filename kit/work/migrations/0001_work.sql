-- Who does a periodic job now. Any number of schedulers and workers gives one effect: the holder's fencing number is
-- checked by the effect's own transaction.
CREATE TABLE work_leases (
    tenant_id    integer     NOT NULL DEFAULT 0,
    name         text        NOT NULL,
    holder       text        NOT NULL,
    fence        bigint      NOT NULL DEFAULT 1,
    leased_until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- Liveness is work done: a task writes here, whoever watches reads the age.
CREATE TABLE work_heartbeats (
    tenant_id integer     NOT NULL DEFAULT 0,
    name      text        NOT NULL,
    beat_at   timestamptz NOT NULL,
    holder    text        NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- An event that could not be handled in its bounded attempts waits here for a person, out of the way of the others.
ALTER TABLE outbox ADD COLUMN parked_at timestamptz;
ALTER TABLE outbox ADD COLUMN next_attempt_at timestamptz;
CREATE INDEX outbox_due ON outbox (event_id) WHERE delivered_at IS NULL AND parked_at IS NULL;
CREATE INDEX outbox_parked ON outbox (event_id) WHERE parked_at IS NOT NULL AND delivered_at IS NULL;
