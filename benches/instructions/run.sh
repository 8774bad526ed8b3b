#!/usr/bin/env bash
# Instructions a row of the loader's hot loop (split; and encode: split, validate, digest, encode), counted
# by callgrind on made-up files, against the numbers in EXPECTED. A stopwatch swings by tens of percent on a busy
# machine; this does not, and 3 % of change is a change of the code or the compiler.
#
#   benches/instructions/run.sh             says what differs; exit code 1 beyond 3 %
#   benches/instructions/run.sh --bless     writes EXPECTED
#
# BINARY is the program to count, where it is built already. Counted twice, over as many rows and over
# three times as many, and the making of the file taken off: the difference is the stage's rows alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rows=10000

[ "${1:-}" = --bless ] || [ -f "$here/EXPECTED" ] || { echo "no $here/EXPECTED: $0 --bless" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "no valgrind: apt-get install valgrind" >&2; exit 2; }
if [ -z "${BINARY:-}" ]; then
    BINARY=$(cargo bench --locked --bench instructions --no-run --message-format json --manifest-path "$here/../../Cargo.toml" |
        python3 -c 'import json, sys
for line in sys.stdin:
    said = json.loads(line)
    if said.get("target", {}).get("name") == "instructions" and said.get("executable"):
        print(said["executable"])')
fi

count() { # case, rows
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$BINARY" "$1" "$2" 2>&1 >/dev/null |
        sed -n 's/.*Collected *: *//p'
}

found=$(mktemp)
trap 'rm -f "$found"' EXIT
for name in $("$BINARY"); do
    n=$rows
    case ${name#*:} in wide) n=$((rows / 20)) ;; columns) n=$((rows / 4)) ;; esac
    once=$(($(count "$name" "$n") - $(count "make:${name#*:}" "$n")))
    thrice=$(($(count "$name" $((3 * n))) - $(count "make:${name#*:}" $((3 * n)))))
    echo "$name $(((thrice - once) / (2 * n)))" | tee -a "$found"
done

case ${1:-} in
    --bless)
        { echo "# Instructions a row, by benches/instructions/run.sh --bless; $(rustc --version)"; cat "$found"; } >"$here/EXPECTED"
        echo "written to $here/EXPECTED" ;;
    '')
        awk 'NR == FNR { if ($1 != "#") expected[$1] = $2; next }
             !($1 in expected) { printf "%s: not in EXPECTED; run.sh --bless\n", $1; bad = 1; next }
             { change = 100 * ($2 / expected[$1] - 1); far = change > 3 || change < -3
               printf "%s: %d instructions a row, expected %d: %+.1f %%%s\n", $1, $2, expected[$1], change, far ? ", beyond 3 %" : ""
               bad = bad || far }
             END { exit bad }' "$here/EXPECTED" "$found" ;;
    *) sed -n '2,12p' "$0"; exit 2 ;;
esac
