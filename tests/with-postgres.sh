#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own: a throwaway cluster on a free port of loopback, gone afterwards.
#
#   tests/with-postgres.sh cargo test
#   DURABLE=1 tests/with-postgres.sh cargo bench --bench rush      as PostgreSQL comes, with every commit on disk
#
# The command finds the address in AFTERCARE_TEST_POSTGRES. Where that is set already, it is taken as it is.
set -euo pipefail

main() {
    if [ -n "${AFTERCARE_TEST_POSTGRES:-}" ]; then exec "$@"; fi

    local bin
    bin=$(binaries) || { install_postgres && bin=$(binaries); } || {
        echo "PostgreSQL is missing: apt-get install postgresql (or: brew install postgresql), then again." >&2
        exit 1
    }

    home=$(mktemp -d "$(place)/aftercare-postgres.XXXXXX")
    trap stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    # initdb and postgres refuse to run as root.
    as=()
    if [ "$(id -u)" = 0 ]; then
        local user=postgres
        id "$user" >/dev/null 2>&1 || user=nobody
        chown "$user" "$home"
        as=(runuser -u "$user" --)
    fi

    (cd "$home" && "${as[@]}" "$bin/initdb" --pgdata "$home/data" --username aftercare --auth trust --encoding UTF8 --locale C --no-sync >"$home.log" 2>&1) ||
        { cat "$home.log" >&2; exit 1; }

    # Durability is not what the tests are about; many connections are: every test has a database of its own. Figures
    # are only worth something with it.
    local port tries=0 durable="-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
    [ -z "${DURABLE:-}" ] || durable=""
    until port=$(free_port) && (cd "$home" && "${as[@]}" "$bin/pg_ctl" --pgdata "$home/data" --silent --wait --log "$home/log" --options \
        "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=400 $durable" start); do
        tries=$((tries + 1))
        if [ "$tries" = 5 ]; then cat "$home/log" >&2; exit 1; fi
    done

    stop_with="$bin/pg_ctl"
    export AFTERCARE_TEST_POSTGRES="postgres://aftercare@127.0.0.1:$port/postgres"
    "$@"
}

# In memory where there is plenty of it: hundreds of databases take a disk minutes to write, and to forget. Figures need
# a disk.
place() {
    local enough=8000000
    if [ -z "${DURABLE:-}" ] && [ -w /dev/shm ] &&
        [ "$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1 | tr -dc 0-9)" -gt "$enough" ] &&
        [ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -gt "$enough" ]; then
        echo /dev/shm
    else
        echo "${TMPDIR:-/tmp}"
    fi
}

# The newest installed ones; Debian keeps them off PATH.
binaries() {
    local found
    found=$(find /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin -name initdb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || found=$(command -v initdb) || return 1
    dirname "$found"
}

install_postgres() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "Installing PostgreSQL for the tests…" >&2
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >&2
}

free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 30000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

stop() {
    if [ -n "${stop_with:-}" ]; then
        (cd / && "${as[@]}" "$stop_with" --pgdata "$home/data" --silent --mode immediate stop) || true
    fi
    rm -rf "$home" "$home.log"
}

main "$@"
