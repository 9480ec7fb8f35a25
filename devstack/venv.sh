#!/bin/sh
# devstack/venv.sh [LOCK ...]: make .venv and install what the lock files say, unless it is there.
# A name that ends in -model.lock is installed without its dependencies (it asks for programs that
# we do not use). In sh, because it runs before there is any Python of ours.
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

failed() {
    tail -n 8 "$log" | sed 's/^/  | /' >&2
    fail "$*"
}

mkdir -p .cache
if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear .venv >"$log" 2>&1 ||
        failed "Python cannot make a virtual environment here; on Debian: apt install python3-venv"
fi

for lock in "$@"; do
    stamp=.venv/.installed-$(basename "$lock" .lock)
    sum=$(cksum <"$lock")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then
        continue
    fi
    case $lock in
    *-model.lock) without=--no-deps ;;
    *) without= ;;
    esac
    echo "Installing the Python packages of $lock ..."
    if command -v uv >/dev/null; then
        # As pip does; else each start compiles for itself until all is compiled.
        set -- uv pip install --compile-bytecode --python .venv/bin/python
    else
        set -- .venv/bin/python -m pip install --disable-pip-version-check --no-input
    fi
    # shellcheck disable=SC2086
    "$@" --require-hashes $without -r "$lock" >"$log" 2>&1 ||
        failed "Installing from $lock failed; is the package registry reachable?" \
            "All of the output is in $log."
    printf '%s' "$sum" >"$stamp"
done
