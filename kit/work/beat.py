"""A scheduler without memory that shows that it lives.

Every job is periodic and guarded by the database, so there is nothing to remember between runs, and a second
scheduler does no harm.
"""

from __future__ import annotations

from typing import Any

from celery.beat import Scheduler


class LivenessScheduler(Scheduler):  # type: ignore[misc]  # Celery is published without types
    """Touches its liveness file at every turn of its loop."""

    def tick(self, *arguments: Any, **options: Any) -> Any:
        wait = super().tick(*arguments, **options)
        path = self.app.conf.get("lockgate_beat_liveness_file")
        if path is not None:
            path.touch()
        return wait
