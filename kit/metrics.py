"""Prometheus metrics that are right with several processes.

Declare a metric beside what it measures. With LOCKGATE_METRICS_DIR set (every process of one service shares it), one
scrape shows the sum over processes; without it, the process's own registry serves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

_DIRECTORY = os.environ.get("LOCKGATE_METRICS_DIR")
if _DIRECTORY:
    Path(_DIRECTORY).mkdir(parents=True, exist_ok=True)
    # prometheus_client reads this once, on import.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", _DIRECTORY)

from prometheus_client import (  # noqa: E402  (must follow the environment above)
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

GaugeMode = Literal["all", "liveall", "min", "livemin", "max", "livemax", "sum", "livesum", "mostrecent"]
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    return Counter(name, documentation, labels)


def gauge(name: str, documentation: str, labels: Sequence[str] = (), mode: GaugeMode = "mostrecent") -> Gauge:
    return Gauge(name, documentation, labels, multiprocess_mode=mode)


def histogram(
    name: str, documentation: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS
) -> Histogram:
    return Histogram(name, documentation, labels, buckets=buckets)


def exposition() -> tuple[bytes, str]:
    """The scrape's body and its content type."""
    if not _DIRECTORY:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    _forget_the_dead(Path(_DIRECTORY))
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _forget_the_dead(directory: Path) -> None:
    """A process that was killed told nobody. All that share the directory see each other's process ids."""
    pids = {int(path.stem.rpartition("_")[2]) for path in directory.glob("gauge_live*_*.db")}
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            forget_process(pid)
        except PermissionError:
            continue  # alive, and somebody else's


def forget_process(pid: int) -> None:
    """Drop a dead process's live gauges; its counters stay, so that no sum goes backwards."""
    if _DIRECTORY:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
