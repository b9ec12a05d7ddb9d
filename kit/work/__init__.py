"""Deferred work: Celery's set-up, leases, outbox delivery."""
