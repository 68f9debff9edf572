#!/usr/bin/env bash
# `make bench`: builds the release, then measures it on this machine with the load generator beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v wrk >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq wrk
    else
        echo "wrk is missing: apt-get install wrk (or: brew install wrk), then again." >&2
        exit 1
    fi
fi
make --no-print-directory release
node benches/bench.mjs "$@"
if [ $# -eq 0 ] || [[ " $* " == *" rush "* ]]; then
    DURABLE=1 tests/with-postgres.sh cargo bench --bench rush
fi
