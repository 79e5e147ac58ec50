#!/usr/bin/env bash
# The checkout's own Python environment in .venv, exactly as the lock file says. Made anew only when the
# lock, the package's metadata or the Python changed.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/packages.sh"

VENV=$CHECKOUT/.venv
cd "$CHECKOUT"

# uv and pip take the company's CA from different variables; one that is set serves both.
ca=${SSL_CERT_FILE:-${PIP_CERT:-${REQUESTS_CA_BUNDLE:-}}}
if [[ -n $ca ]]; then export SSL_CERT_FILE=$ca PIP_CERT=$ca; fi

# real_python NAME: the interpreter itself, not a shim nor the environment's own link; fails when it is too old.
real_python() {
    "$1" -c 'import os, sys; sys.version_info >= (3, 11) or sys.exit(1); print(os.path.realpath(sys.executable))' 2>/dev/null
}

choose_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if real_python $name; then return; fi
    done
    fail "Python 3.11 or later is needed. Install it (Debian, Ubuntu: apt-get install python3), then try again."
}

bring_ensurepip() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    if [[ -z $(distribution) ]] || ! can_be_root; then
        fail "$python cannot make environments. Install its venv module (Debian, Ubuntu: apt-get install python3-venv)."
    fi
    logged python-venv install_packages python3-venv
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python still has no ensurepip. Install its venv package."
}

# uv is five times faster than pip over 165 packages, compiled like pip's: Prefect's import takes twice as long from
# source. It does not read pip's configuration, where a
# company may have put its index, so that is handed over.
use_the_index_of_pip() {
    local index extra
    index=$("$VENV/bin/pip" config get global.index-url 2>/dev/null || printf '%s' "${PIP_INDEX_URL:-}")
    extra=$("$VENV/bin/pip" config get global.extra-index-url 2>/dev/null || printf '%s' "${PIP_EXTRA_INDEX_URL:-}")
    [[ -z $index ]] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
    [[ -z $extra ]] || export UV_INDEX=${UV_INDEX:-$extra} UV_INDEX_STRATEGY=unsafe-best-match
    export VIRTUAL_ENV=$VENV UV_LINK_MODE=${UV_LINK_MODE:-copy} UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180}
}

make_venv() {
    "$python" -m venv --clear "$VENV"
    if "$VENV/bin/pip" install --disable-pip-version-check --require-hashes -r "$LAB_DIR/uv-tool.lock" && use_the_index_of_pip &&
        "$VENV/bin/uv" pip install --compile-bytecode --require-hashes -r requirements-dev.lock; then return; fi
    "$VENV/bin/pip" install --require-hashes -r requirements-dev.lock
}

# With the setuptools of the lock: a build in isolation would fetch whatever there is that day.
install_ourselves() {
    local how=(install --no-build-isolation --no-deps -e .)
    if [[ -x $VENV/bin/uv ]] && use_the_index_of_pip && "$VENV/bin/uv" pip "${how[@]}"; then return; fi
    "$VENV/bin/pip" "${how[@]}"
}

exec 9>"$RUN/venv.lock"
flock 9
python=$(choose_python)
locked="$python $(cat requirements-dev.lock "$LAB_DIR/uv-tool.lock" | sha256sum)"
if ! unchanged "$VENV/.locked" "$locked"; then
    say "Making .venv with $("$python" --version) (about 20 s)."
    bring_ensurepip
    "$LAB_DIR/worker.sh" down 9>&- # they run from the environment that is replaced here
    "$LAB_DIR/prefect.sh" down 9>&-
    logged venv make_venv
    record_stamp "$VENV/.locked" "$locked"
fi
ourselves=$("$python" -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); print(p["build-system"], p["project"])')
if ! unchanged "$VENV/.ourselves" "$ourselves"; then
    logged venv-ourselves install_ourselves
    record_stamp "$VENV/.ourselves" "$ourselves"
fi
