#!/usr/bin/env bash
# How fast is the loader, and against what? Makes the data, runs kiln and its peers in turn, proves
# that they loaded the same, and writes RESULT.md, RESULT.json and chart.svg beside this file.
#
#   benches/load/run.sh                    30 million network rows, 5 rounds, both servers: about an hour
#   benches/load/run.sh --small            a few thousand rows, one round: counts and digests, no times
#   benches/load/run.sh --rows N --rounds N --parts ab --servers rds --peers psql,adbc
#
# Peers are installed by benches/load/peers.sh; those that are not there are left out, and said so.
# Every option: benches/load/run.sh --help. KILN (or --kiln) is the program.
set -euo pipefail
exec python3 "$(cd "$(dirname "$0")" && pwd)/bench.py" "$@"
