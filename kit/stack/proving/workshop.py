"""A scratch copy of the contracts, in which they may be compiled and changed without touching the work tree."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.stack.paths import ROOT, native

SOURCES = ("src", "test", "proofs")
SOLC = ROOT / "kit" / "stack" / "solc"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended; `status` is None when its time was over."""

    status: int | None
    out: str
    err: str

    @property
    def text(self) -> str:
        return f"{self.out}\n{self.err}".strip()


def run(
    command: Sequence[str | Path], cwd: Path, env: Mapping[str, str], seconds: float, asked: str | None = None
) -> Finished:
    """Run a program and all that it starts for at most `seconds`; `asked` is what it reads."""
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL if asked is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(asked, timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        out, err = process.communicate()
        return Finished(None, out, err)
    except BaseException:
        _end(process)
        raise
    return Finished(process.returncode, out, err)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Workshop:
    """One copy, with a cache of compilations of its own for each profile and kind of test."""

    folder: Path

    @classmethod
    def lay(cls, contracts: Path, folder: Path) -> Workshop:
        """Make `folder` equal to `contracts`, writing only what differs, so that forge compiles only that."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in SOURCES:
            _mirror(contracts / name, folder / name)
        _copy(contracts / "foundry.toml", folder / "foundry.toml")
        modules = folder / "node_modules"
        if not modules.is_symlink():
            modules.symlink_to(ROOT / "node_modules", target_is_directory=True)
        return cls(folder)

    def environment(self, profile: str, tests: str) -> dict[str, str]:
        """For forge: `tests` is the folder of tests, `test` or `proofs`."""
        made = f"{profile}-{tests}"
        return os.environ | {
            "FOUNDRY_PROFILE": profile,
            "FOUNDRY_SOLC": str(SOLC),
            "FOUNDRY_OFFLINE": "true",
            "FOUNDRY_TEST": tests,
            "FOUNDRY_OUT": f"out-{made}",
            "FOUNDRY_CACHE_PATH": f"cache-{made}",
            "FOUNDRY_DISABLE_NIGHTLY_WARNING": "true",
        }

    def forge(
        self,
        *words: str,
        profile: str = "default",
        tests: str = "test",
        seconds: float = 600,
        settings: Mapping[str, str] | None = None,
    ) -> Finished:
        env = self.environment(profile, tests) | dict(settings or {})
        return run([native("forge"), *words], self.folder, env, seconds)

    def out(self, profile: str, tests: str) -> Path:
        return self.folder / self.environment(profile, tests)["FOUNDRY_OUT"]

    def cache(self, profile: str, tests: str) -> Path:
        return self.folder / self.environment(profile, tests)["FOUNDRY_CACHE_PATH"]


def _mirror(source: Path, target: Path) -> None:
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()} if source.is_dir() else set()
    for path in list(target.rglob("*")) if target.is_dir() else []:
        if path.is_file() and path.relative_to(target) not in wanted:
            path.unlink()
    for relative in wanted:
        _copy(source / relative, target / relative)


def _copy(source: Path, target: Path) -> None:
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
