#!/bin/sh
# devstack/venv.sh [LOCK ...]: make .venv and install what the lock files say, unless it is there.
# In sh, because it runs before there is any Python of ours.
set -eu
cd "$(dirname "$0")/.."
log=.cache/venv.log

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
}

find_python() {
    # PYTHON=... is the person's own choice and is taken as it is.
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" || fail "PYTHON: there is no program $PYTHON."
        return
    fi
    for name in python3 python3.13 python3.12 python3.11; do
        if supported "$name"; then
            command -v "$name"
            return
        fi
    done
    fail "Python 3.11, 3.12 or 3.13 is needed and none is on your PATH: install one," \
        "or name it with PYTHON=..."
}

mkdir -p .cache
if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version) ..."
    if ! "$python" -m venv --clear .venv >"$log" 2>&1; then
        tail -n 8 "$log" | sed 's/^/  | /' >&2
        fail "Python cannot make a virtual environment here; on Debian: apt install python3-venv"
    fi
fi
exec .venv/bin/python -m devstack.packages "$@"
