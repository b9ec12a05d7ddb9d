"""Processes and their parents."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have this child of `multiprocessing` asked to stop (SIGTERM) once its parent has died, kill -9 included.

    Without it a server's children outlive it and hold its port, so that it cannot be started again. Nothing happens
    in a process that `multiprocessing` did not start, or on systems without prctl(2). Raises OSError.
    """
    parent = multiprocessing.parent_process()
    if parent is None or sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent.pid:  # it died before we asked
        signal.raise_signal(signal.SIGTERM)
