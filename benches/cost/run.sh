#!/usr/bin/env bash
# Times one cost and one ranking on a druginfo of generated, full-width data, and writes RESULT.md
# beside this file. Nothing passes or fails by the clock: read the table.
#
#   benches/cost/run.sh                     generates, lands and builds a release, then times
#   benches/cost/run.sh --scale 0.1         a larger one: a tenth of CMS's
#   benches/cost/run.sh --url URL           a druginfo that is there; its server gets a copy of it
#   benches/cost/run.sh --seconds 60        longer than 20 seconds each
#
# KILN is the program (default: target/release/kiln, else target/debug/kiln).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scale=0.02 seconds=20 url=
while [ $# -gt 0 ]; do
    case $1 in
        --scale) scale=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --url) url=$2; shift 2 ;;
        *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
kiln=${KILN:-$root/target/release/kiln}
[ -x "$kiln" ] || kiln=$root/target/debug/kiln

data="a database that was there"
if [ -z "$url" ]; then
    export KILN_HOME=${KILN_HOME:-$root/target/bench-cost}
    mkdir -p "$KILN_HOME"
    version=$(sed -n 's/^version = //p' "$root/sql/druginfo/schema.lock")
    trap '"$kiln" --root "$root" down >/dev/null || true' EXIT
    "$kiln" --root "$root" up >/dev/null
    "$kiln" --root "$root" synth druginfo --scale "$scale" --quiet
    "$kiln" --root "$root" contract set druginfo --app bench --accepts "$version" >/dev/null
    # The server stays from run to run, and this one may be of another scale.
    for gate in rows nulls; do
        "$kiln" --root "$root" waive druginfo $gate --why "benches/cost at scale $scale" --quiet
    done
    "$kiln" --root "$root" run druginfo --quiet
    url=$("$kiln" --root "$root" url druginfo)
    data="generated at scale $scale, full width"
fi

# The same server, another database.
at() { printf '%s' "$url" | sed -E "s#^(postgres(ql)?://[^/]*/)[^?]*#\1$1#"; }
live=$(printf '%s' "$url" | sed -E 's#^postgres(ql)?://[^/]*/([^?]*).*#\2#')
bench=druginfo_cost_bench
ask() { psql -XAtq -v ON_ERROR_STOP=1 "$(at $bench)" -c "$1"; }
psql -Xq -v ON_ERROR_STOP=1 "$(at postgres)" \
    -c "drop database if exists $bench" -c "create database $bench template \"$live\"" \
    -c "alter database $bench set default_transaction_read_only = off"
psql -Xq "$(at $bench)" -f "$here/prepare.sql" >/dev/null
fills=$(ask 'select count(*) from bench_fill')
baskets=$(ask 'select count(*) from bench_basket')
plans=$(ask 'select count(*) from plan_county join bench_county using (county_code)')

# mean, median, 99th percentile, most, in milliseconds, and how many
timed() {
    local logs
    logs=$(mktemp -d)
    pgbench -n -M prepared -c 1 -T "$seconds" -f "$here/$1.sql" -D fills="$fills" \
        -D baskets="$baskets" -l --log-prefix="$logs/log" "$(at $bench)" >/dev/null 2>&1
    cat "$logs"/log* | awk '{ print $3 / 1000 }' | sort -n | awk '
        { a[NR] = $1; sum += $1 }
        END { printf "%.2f | %.2f | %.2f | %.2f | %d", sum / NR, a[int((NR + 1) / 2)],
              a[int(NR * 0.99 + 0.5)], a[NR], NR }'
    rm -r "$logs"
}
# The first pass warms the caches and is not kept.
kept=$seconds; seconds=3; timed cost >/dev/null; timed ranking >/dev/null; seconds=$kept
cost=$(timed cost)
ranking=$(timed ranking)

ask "select format('| %s | %s | %s | %s |', relname, to_char(reltuples, 'FM999,999,999,999'),
                   pg_size_pretty(pg_total_relation_size(oid)),
                   round((pg_total_relation_size(oid) / reltuples)::numeric, 1))
     from pg_class where relname in ('pharmacy_networks', 'network_plan', 'network_pharmacy',
         'network_terms', 'pricing', 'pricing_item', 'basic_drugs_formulary', 'plan_county', 'drug')
       and reltuples > 0 order by pg_total_relation_size(oid) desc" > "$here/.tables"
{
    echo "# What a cost and a ranking take"
    echo
    echo "Written by \`benches/cost/run.sh\`. One client, prepared statements, $seconds seconds each after a"
    echo "warm-up of 3; milliseconds. A cost is one \`drug_cost\` of $fills random fills; a ranking is one"
    echo "\`rank_plans\` of $baskets random baskets of five drugs in a county with $plans plans."
    echo
    echo "| what | aim (mean) | mean | median | 99 % | most | runs |"
    echo "|---|---|---|---|---|---|---|"
    echo "| one cost | 5 | $cost |"
    echo "| one ranking | 100 | $ranking |"
    echo
    echo "| | |"
    echo "|---|---|"
    echo "| data | $data; $(ask "select format('%s plans, period %s, schema version %s', (select count(*) from plan), period, version) from kiln.stamp") |"
    echo "| Postgres | $(ask 'show server_version') |"
    echo "| kiln | $("$kiln" --version) |"
    echo "| machine | $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo) |"
    echo "| load beside it (1, 5, 15 minutes) | $(cut -d' ' -f1-3 /proc/loadavg) |"
    echo
    echo "| table | rows | size with indexes | bytes a row |"
    echo "|---|---|---|---|"
    cat "$here/.tables"
} > "$here/RESULT.md"
rm "$here/.tables"
psql -Xq "$(at postgres)" -c "drop database $bench"
cat "$here/RESULT.md"
