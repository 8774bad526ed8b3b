#!/usr/bin/env bash
# Three ways to get a table that has not changed into the next build, timed on the pharmacy network of
# a generated druginfo in kiln's private Postgres; writes RESULT.md beside this file. Nothing passes or
# fails by the clock, but every way must end in the same rows.
#
#   benches/reuse/run.sh                  at scale 0.01, three rounds
#   benches/reuse/run.sh --scale 0.05     a larger network
#   benches/reuse/run.sh --rounds 5
#
# KILN is the program (default: target/release/kiln, else target/debug/kiln); NOTE is a remark for
# RESULT.md. Needs psql, pg_dump and zstd.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scale=0.01 rounds=3
while [ $# -gt 0 ]; do
    case $1 in
        --scale) scale=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
kiln=${KILN:-$root/target/release/kiln}
[ -x "$kiln" ] || kiln=$root/target/debug/kiln
export KILN_HOME=${KILN_HOME:-$root/target/bench-reuse}
mkdir -p "$KILN_HOME"
work=$(mktemp -d)
trap '"$kiln" --root "$root" down >/dev/null || true; rm -rf "$work"' EXIT

run() { "$kiln" --root "$root" "$@"; }
version=$(sed -n 's/^version = //p' "$root/sql/druginfo/schema.lock")
run up >/dev/null
run synth druginfo --scale "$scale" --quiet
run contract set druginfo --app bench --accepts "$version" >/dev/null
run run druginfo --full-refresh --quiet
url=$(run url druginfo)
at() { printf '%s' "$url" | sed -E "s#^(postgres(ql)?://[^/]*/)[^?]*#\1$1#"; }
ask() { psql -XAtq -v ON_ERROR_STOP=1 "$(at "$1")" -c "$2"; }
tables="network_plan network_pharmacy network_terms pharmacy_networks"
of_network="relname in ('$(printf '%s' "$tables" | sed "s/ /','/g")')"

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }
median() { sort -n "$work/$1" | awk '{ a[NR] = $1 } END { printf "%.2f", a[int((NR + 1) / 2)] }'; }

# An empty database with the network's tables, without keys.
scratch=kiln_reuse_bench
empty() {
    psql -Xq "$(at postgres)" -c "drop database if exists $scratch" \
        -c "create database $scratch template template0 locale 'C'" 2>/dev/null
    psql -Xq "$(at $scratch)" -f "$work/tables.sql" >/dev/null
}
flags=$(for table in $tables; do printf ' -t public.%s' "$table"; done)
# shellcheck disable=SC2086
pg_dump "$url" --section=pre-data --no-owner --no-privileges $flags > "$work/tables.sql"
take() { psql -Xq -v ON_ERROR_STOP=1 -1 "$(at $scratch)" -c "truncate $1" -c "\\copy $1 from pstdin (format binary, freeze)"; }
give() { psql -Xq -v ON_ERROR_STOP=1 "$url" -c "\\copy $1 to pstdout (format binary)"; }
sum() { ask "$1" "select count(*) || ' ' || sum(hashtextextended(t::text, 0)) from pharmacy_networks t"; }

sealed=
for round in $(seq "$rounds"); do
    # (a) kiln itself: every table of a build, the network among them, digested and counted.
    run build druginfo --quiet
    sealed=$(ask kiln "select name from kiln.build order by created_at desc limit 1")
    ask "$sealed" "select (entry ->> 'seconds')::numeric from kiln.source
        where source = 'pharmacy_networks' and entry -> 'reused' is not null" >> "$work/kiln"
    # (a) the servers' part of it alone: COPY out of the live build, COPY into the other.
    empty; began=$(now)
    for table in $tables; do give "$table" | take "$table"; done
    since "$began" >> "$work/copy"; echo >> "$work/copy"
    [ "$(sum $scratch)" = "$(sum druginfo)" ]
    # (b) a stream that was kept, compressed.
    began=$(now)
    for table in $tables; do give "$table" | zstd -q -3 -f -o "$work/$table.zst"; done
    since "$began" >> "$work/keep"; echo >> "$work/keep"
    empty; began=$(now)
    for table in $tables; do zstd -qdc "$work/$table.zst" | take "$table"; done
    since "$began" >> "$work/stream"; echo >> "$work/stream"
    [ "$(sum $scratch)" = "$(sum druginfo)" ]
    # (c) a twin of a build that nobody reads, all its tables and indexes.
    psql -Xq "$(at postgres)" -c "drop database if exists $scratch" -c checkpoint 2>/dev/null
    began=$(now)
    ask postgres "create database $scratch template \"$sealed\" strategy file_copy"
    since "$began" >> "$work/twin"; echo >> "$work/twin"
    [ "$(sum $scratch)" = "$(sum druginfo)" ]
done
# A template that somebody reads is refused.
psql -Xq "$(at druginfo)" -c 'select pg_sleep(12)' >/dev/null &
sleep 1
refused=$(psql -Xq "$(at postgres)" -c "drop database $scratch" \
    -c "create database $scratch template druginfo strategy file_copy" 2>&1 | grep -m1 ERROR || echo 'not refused')
wait

heap=$(ask druginfo "select sum(pg_table_size(oid))::bigint from pg_class where $of_network and relkind = 'r'")
whole=$(ask "$sealed" 'select pg_database_size(current_database())')
kept=$(cat "$work"/*.zst | wc -c)
binary=$(for table in $tables; do give "$table"; done | wc -c)
rows=$(ask druginfo "select rows from kiln.source where source = 'pharmacy_networks'")
loaded=$(ask druginfo "select round((entry ->> 'seconds')::numeric, 2) from kiln.source where source = 'pharmacy_networks'")
mib() { awk -v b="$1" 'BEGIN { printf "%.1f MiB", b / 1048576 }'; }
{
    echo "# An unchanged table: how it comes into the next build"
    echo
    echo "Written by \`benches/reuse/run.sh\`: the pharmacy network and its three dictionaries, $rows rows,"
    echo "medians of $rounds interleaved rounds, seconds. Every way ended in the same rows."
    echo
    echo "| way | seconds | bytes beside the builds |"
    echo "|---|---|---|"
    echo "| loaded from its files (six deflated members), for comparison | $loaded | 0 |"
    echo "| (a) kiln: COPY out of the live build, digested and counted, into the new one | $(median kiln) | 0 |"
    echo "| (a) the servers' part of it: psql to psql, $(mib "$binary") of binary COPY | $(median copy) | 0 |"
    echo "| (b) a kept stream, zstd -3, from a file | $(median stream), and $(median keep) to keep it | $(mib "$kept") |"
    echo "| (c) a twin of a whole build, FILE_COPY, keys and all other tables included | $(median twin) | $(mib "$whole") |"
    echo
    echo "The network's tables have $(mib "$heap") in a build, the build has $(mib "$whole"). A template that"
    echo "somebody reads: \`$refused\`."
    echo
    echo "| | |"
    echo "|---|---|"
    echo "| data | kiln synth --scale $scale |"
    echo "| Postgres | $(ask postgres 'show server_version'), wal_level $(ask postgres 'show wal_level'), fsync $(ask postgres 'show fsync') |"
    echo "| kiln | $(run --version) |"
    echo "| machine | $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo) |"
    echo "| load beside it (1, 5, 15 minutes) | $(cut -d' ' -f1-3 /proc/loadavg) |"
    [ -z "${NOTE:-}" ] || echo "| note | $NOTE |"
} > "$work/RESULT.md"
# What was decided of it stays, below the numbers.
sed -n '/^## What follows/,$p' "$here/RESULT.md" > "$work/follows.md" 2>/dev/null || true
[ ! -s "$work/follows.md" ] || { echo; cat "$work/follows.md"; } >> "$work/RESULT.md"
cp "$work/RESULT.md" "$here/RESULT.md"
psql -Xq "$(at postgres)" -c "drop database if exists $scratch" 2>/dev/null
cat "$here/RESULT.md"
