#!/usr/bin/env bash
# `make dev`: builds and serves on http://127.0.0.1:3000, and does so again whenever a source changes; open pages are
# then loaded again (that part needs Node.js). The server itself listens on 3001.
set -euo pipefail
cd "$(dirname "$0")/../.."

fingerprint() {
    find src style locales migrations public Cargo.toml Cargo.lock build.rs -type f -newer target/.watched -print -quit 2>/dev/null
}

server=
proxy=
stop() { if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=; fi; }
trap 'stop; [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true' EXIT

listen=127.0.0.1:3000
if command -v node >/dev/null; then
    node end2end/support/reload.mjs 3000 3001 &
    proxy=$!
    listen=127.0.0.1:3001
fi

ready() {
    for _ in $(seq 300); do
        if (exec 3<>"/dev/tcp/127.0.0.1/${listen##*:}") 2>/dev/null; then return 0; fi
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

while true; do
    touch target/.watched
    if make --no-print-directory front && cargo build --bin aftercare; then
        stop
        target/debug/aftercare serve --demo --data-dir data/demo --listen "$listen" --public-url http://127.0.0.1:3000 &
        server=$!
        if ready && [ -n "$proxy" ]; then kill -HUP "$proxy"; fi
    fi
    echo "Watching for changes…"
    until [ -n "$(fingerprint)" ]; do sleep 1; done
done
