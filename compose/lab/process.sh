#!/usr/bin/env bash
# Processes that outlive the script that started them. A pid file holds the pid and the time the
# process began, so that a number the kernel has given to somebody else is never taken for ours.

began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# running NAME: true while the process we recorded under this name lives.
running() {
    local pid start
    [[ -s $RUN/$1.pid ]] && read -r pid start <"$RUN/$1.pid" && [[ -n $start && $(began "$pid") == "$start" ]]
}

pid_of() { cut -d' ' -f1 "$RUN/$1.pid"; }

record_process() { printf '%s %s\n' "$2" "$(began "$2")" >"$RUN/$1.pid"; }

# start_detached NAME COMMAND…: a session of its own, without our input, output or lock files.
start_detached() {
    local name=$1
    shift
    setsid "$@" >>"$LOGS/$name.log" 2>&1 </dev/null 9>&- &
    record_process "$name" $!
    disown
}

descendants() {
    local child
    # shellcheck disable=SC2013  # one line of numbers, without an end of line
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        echo "$child $(began "$child")"
        descendants "$child"
    done
}

# stop_process NAME [SECONDS]: asks, waits, then insists. What it started goes with it.
stop_process() {
    local pid start family deadline=$((SECONDS + ${2:-10}))
    if running "$1"; then
        pid=$(pid_of "$1")
        family=$(descendants "$pid")
        kill -TERM "$pid" 2>/dev/null || true
        while running "$1" && ((SECONDS < deadline)); do sleep 0.1; done
        if running "$1"; then kill -KILL "$pid" 2>/dev/null || true; fi
        while read -r pid start; do
            if [[ -n $pid && $(began "$pid") == "$start" ]]; then kill -KILL "$pid" 2>/dev/null || true; fi
        done <<<"$family"
    fi
    rm -f "$RUN/$1.pid"
}

# Run as a command, for a process that belongs to root: process.sh stop NAME SECONDS.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    [[ $1 == stop ]] && stop_process "$2" "$3"
fi
