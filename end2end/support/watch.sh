#!/usr/bin/env bash
# `make dev`: builds and serves, and does so again whenever a source changes. With cargo-leptos installed its own
# watcher (which also reloads the page) can be used instead: cargo leptos watch.
set -euo pipefail
cd "$(dirname "$0")/../.."

fingerprint() {
    find src style locales migrations public Cargo.toml Cargo.lock build.rs -type f -newer target/.watched -print -quit 2>/dev/null
}

server=
stop() { if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=; fi; }
trap stop EXIT

while true; do
    touch target/.watched
    if make --no-print-directory front && cargo build --bin aftercare; then
        stop
        target/debug/aftercare serve --demo --data-dir data/demo &
        server=$!
    fi
    echo "Watching for changes…"
    until [ -n "$(fingerprint)" ]; do sleep 1; done
done
