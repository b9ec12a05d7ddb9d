"""A compiler that remembers: answers forge from a folder, and asks the true one only what it was never asked.

`python solc_memory.py FOLDER SOLC ARGUMENTS`, as forge calls a compiler. Between two mutants forge asks the same
things of the true tests again; and what it asked tells how the true sources were compiled (`recompiling`).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path


def main(folder: Path, solc: str, arguments: list[str]) -> int:
    question = sys.stdin.buffer.read() if "--standard-json" in arguments else b""
    name = hashlib.sha256(b"".join((str("--version" in arguments).encode(), question))).hexdigest()
    known = folder / f"{name}.answer"
    if known.is_file():
        sys.stdout.buffer.write(known.read_bytes())
        return 0
    done = subprocess.run([solc, *arguments], input=question, stdout=subprocess.PIPE, check=False)
    sys.stdout.buffer.write(done.stdout)
    if done.returncode == 0:
        _keep(folder / f"{name}.question", question)
        _keep(known, done.stdout)
    return done.returncode


def _keep(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
