"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def description() -> str:
    return f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release().split('-')[0]}"


def load_average() -> float:
    """Processes that wanted to run over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
