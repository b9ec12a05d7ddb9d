#!/bin/sh
# Finds a Python that can carry the set-up, says plainly when there is none, and hands over to bootstrap.py.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
found=""
refused=""
for candidate in ${LOCKGATE_PYTHON:-} python3.11 python3 python3.12 python3.13; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in
    3.11 | 3.12 | 3.13) ;;
    *)
        refused="$refused
  $candidate is Python $version"
        continue
        ;;
    esac
    if ! "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        refused="$refused
  $candidate (Python $version) lacks the venv module; on Debian or Ubuntu: apt-get install python$version-venv"
        continue
    fi
    found=$candidate
    break
done
if [ -z "$found" ]; then
    echo "Lockgate needs Python 3.11, 3.12 or 3.13 with the venv module, and found none.${refused:-
  there is no python3 on the PATH}
Install one, or name it: LOCKGATE_PYTHON=/path/to/python3.11 make setup" >&2
    exit 1
fi
exec "$found" "$here/bootstrap.py" "$@"
