#!/usr/bin/env bash
# How fast is search_plans? Draws requests as people make them, 500 a second for 30 seconds, and
# writes RESULT.md beside this file.
#
#   benches/search/run.sh                 a generated planinfo of a whole year, in kiln's private Postgres
#   benches/search/run.sh --server URL    the same, in a scratch database of that server
#   benches/search/run.sh --live URL      a live planinfo (kiln url planinfo); nothing is written there
#
# RATE, SECONDS_, CLIENTS, KILN (path of the binary) and NOTE (a remark for RESULT.md) may be set in the
# environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rate=${RATE:-500} seconds=${SECONDS_:-30} clients=${CLIENTS:-4}
work=$(mktemp -d)
scratch='' server='' started=''

finish() {
    [ -z "$scratch" ] || psql -q "$server" -c "drop database if exists $scratch" || true
    [ -z "$started" ] || (cd "$root" && "$started" down >/dev/null) || true
    rm -rf "$work"
}
trap finish EXIT

generate() {
    scratch=kiln_search_bench
    psql -q "$server" -c "drop database if exists $scratch" -c "create database $scratch template template0 encoding 'UTF8' locale 'C.UTF-8'" 2>/dev/null
    url=$(sed -E "s#(//[^/]*/)[^?]*#\1$scratch#" <<<"$server")
    {
        echo 'create table pbp_column (column_name text);'
        cat "$root"/sql/planinfo/*_benefit_service.sql "$here/generate.sql"
        for table in plan value range word order county facet; do cat "$root"/sql/planinfo/*_search_$table.sql; done
        echo 'vacuum analyze;'
    } | psql -q -v ON_ERROR_STOP=1 "$url" >/dev/null
    data='generated (generate.sql)'
}

case ${1:-} in
    '')
        kiln=${KILN:-$(command -v kiln || echo "$root/target/release/kiln")}
        # Servers that were up before stay up.
        [ -e "$root/.kiln/postgres/postmaster.pid" ] || started=$kiln
        (cd "$root" && "$kiln" up) >"$work/up"
        server=$(grep -o 'postgresql://[^ ]*' "$work/up" | head -1)
        generate ;;
    --server) server=$2; generate ;;
    --live) url=$2; data='live planinfo, built from files of CMS' ;;
    *) sed -n '2,9p' "$0"; exit 2 ;;
esac

ask() { psql -AtqX "$url" -c "$1"; }

# Places where many plans are sold are asked for more often, as many people live there.
ask "select setseed(0.7)" >/dev/null
counties=$(ask "select array_agg(county_fips) from (select county_fips from plan_county order by md5(county_fips || plan_no) limit 400) as drawn")
zips=$(ask "select array_agg(zip) from (select (select zip from zip_county where fips = county_fips order by md5(zip) limit 1) as zip
            from plan_county order by md5(plan_no || county_fips) limit 400) as drawn where zip is not null")
organizations=$(ask "select array_agg(value) from (select value from search_value where facet = 'organization' order by plans desc limit 20) as largest")
benefits=$(ask "select array_agg(value) from (select value from search_value where facet = 'benefit' order by plans desc limit 8) as usual")
# Words that names begin with: the commonest have the most plans to count.
words=$(ask "select array_agg(word) from (select left(word, 5) as word from search_word where length(word) > 3 order by bit_count(bits) desc limit 20) as usual")
n_zips=$(ask "select cardinality('${zips//\'/\'\'}'::text[])")

quote() { printf "'%s'::text[]" "${1//\'/\'\'}"; }
script() {    # name, weight, arguments of search_plans
    local file="$work/$1.sql"
    {
        echo "\\set place random(1, 400)"
        echo "\\set zip random(1, $n_zips)"
        echo "\\set some random(1, 8)"
        echo "\\set page random_zipfian(1, 5, 1.5)"
        echo "select search_plans($3);"
    } >"$file"
    names+=("$1"); weights+=("$2"); files+=(-f "$file@$2")
}
zip="zip => ($(quote "$zips"))[:zip]"
county="county => ($(quote "$counties"))[:place]"
names=() weights=() files=()
script zip 30 "$zip"
script zip_page 8 "$zip, page => :page, sort => 'out_of_pocket_maximum'"
script county_type_drugs 14 "$county, plan_types => '{HMO,HMOPOS}', drug_coverage => true"
script zip_free_benefits 14 "$zip, premium_max => 0, benefits => array[($(quote "$benefits"))[:some], ($(quote "$benefits"))[1]]"
script zip_stars 10 "$zip, stars_min => 4, sort => 'stars'"
script zip_organization 8 "$zip, organizations => array[($(quote "$organizations"))[:some], ($(quote "$organizations"))[2 * :some]]"
script county_snp 5 "$county, snp => '{Dual-Eligible}'"
script zip_name 4 "$zip, name => ($(quote "$words"))[:some]"
script county_many 3 "$county, plan_types => '{HMO,HMOPOS,\"Local PPO\"}', snp => '{None}', drug_coverage => true, premium_max => 40, drug_deductible_max => 300, stars_min => 3.5, sort => 'enrollment'"
script year 2 "page => :page"
script year_name 1 "name => ($(quote "$words"))[:some], sort => 'stars'"
script year_many 1 "premium_max => 30, drug_coverage => true, organizations => array[($(quote "$organizations"))[:some]], sort => 'name'"

load_before=$(cut -d' ' -f1-3 /proc/loadavg)
pgbench "$url" -n -M prepared -c "$clients" -j 1 -T 3 -R "$rate" "${files[@]}" >/dev/null 2>&1   # warm
(cd "$work" && pgbench "$url" -n -M prepared -c "$clients" -j 1 -T "$seconds" -R "$rate" --log --log-prefix=took "${files[@]}") >"$work/summary" 2>&1
load_after=$(cut -d' ' -f1-3 /proc/loadavg)

# A line of the log: client, number, microseconds from when the request was due, script, …
figures() {    # script number, or all
    cat "$work"/took.* | awk -v s="$1" 's == "all" || $4 == s { print $3 }' | sort -n | awk '
        { t[NR] = $1; sum += $1 }
        function at(p,  i) { i = int(NR * p + 0.999999); return t[i < 1 ? 1 : i] / 1000 }
        END { if (NR) printf "%d | %.2f | %.2f | %.2f | %.2f | %.2f", NR, sum / NR / 1000, at(0.5), at(0.95), at(0.99), t[NR] / 1000 }'
}
{
    echo '# Search: how fast'
    echo
    echo "Written by \`benches/search/run.sh\` on $(date -u +%F): $rate requests a second for $seconds seconds, $clients connections."
    echo "Milliseconds from the moment a request was due until its answer was read, waiting included."
    echo
    echo '| requests | weight | n | mean | p50 | p95 | p99 | max |'
    echo '|---|---|---|---|---|---|---|---|'
    for i in "${!names[@]}"; do echo "| ${names[$i]} | ${weights[$i]} | $(figures "$i") |"; done
    echo "| **all** | | $(figures all) |"
    echo
    echo "- Data: $data: $(ask 'select count(*) from search_plan') plans, $(ask 'select count(*) from plan_county') plan-county pairs, $(ask 'select count(*) from search_county') counties (plans in a county: $(ask "select string_agg(q::text, ', ') from unnest((select percentile_disc(array[0.1, 0.5, 0.9, 1]) within group (order by cardinality(plan_nos)) from search_county)) as q" ) at 10, 50, 90 and 100 %)."
    echo "- Size of what the search reads: $(ask "select string_agg(c.relname || ' ' || pg_size_pretty(pg_total_relation_size(c.oid)), ', ' order by c.relname) from pg_class as c where c.relname like 'search\_%' and c.relkind = 'r'")."
    echo "- Machine: $(nproc) cores ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)), pgbench on the same; load before $load_before, after $load_after."
    echo "- $(ask 'select version()' | cut -d, -f1), shared_buffers $(ask 'show shared_buffers'); $(pgbench --version)."
    [ -z "${NOTE:-}" ] || echo "- $NOTE"
} >"$here/RESULT.md"
cat "$here/RESULT.md"
