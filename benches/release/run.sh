#!/usr/bin/env bash
# The whole release, nothing left out: generates it into the S3 endpoint, runs the night on it, and
# writes RESULT.md and RESULT.json beside this file: stages, rows a second, sizes, memory.
#
#   benches/release/run.sh                  scale 1: 362 million rows; some 50 GB of disk
#   benches/release/run.sh --scale 0.01     a hundredth
#   benches/release/run.sh --server rds-like --out benches/release/rds-like
#
# First a hundredth of the scale (3 million network rows at scale 1) is built the same way, to say how the
# speed holds. KILN (or --kiln) is the program. Every option: benches/release/run.sh --help.
set -euo pipefail
exec python3 "$(cd "$(dirname "$0")" && pwd)/release.py" "$@"
