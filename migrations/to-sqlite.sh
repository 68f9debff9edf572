#!/bin/sh
# Writes the SQLite text of a migration from its PostgreSQL text: the same tables and columns, SQLite's type names.
# Usage: migrations/to-sqlite.sh migrations/postgres/NNNN_name.sql > migrations/sqlite/NNNN_name.sql
sed -E -e 's/\buuid\b/blob/g' -e 's/\btimestamptz\b/text/g' -e 's/\bdate\b/text/g' -e 's/\bboolean\b/integer/g' \
    -e 's/\bbigint\b/integer/g' -e 's/^\);$/) strict;/' "$1"
