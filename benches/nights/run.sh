#!/usr/bin/env bash
# Successive nights of druginfo on kiln's private server: the first, one in which one source changed, one
# in which nothing did, two more with that source changed, and the last of them twice from the files. For each
# it prints `kiln plan` before the night and the night's times; RESULT.md and RESULT.json go beside this file.
#
#   benches/nights/run.sh                                at scale 0.01: 3.7 million rows, some minutes
#   benches/nights/run.sh --scale 0.1                    a tenth of CMS's release
#   benches/nights/run.sh --changed pharmacy_networks    another source that changes
#
# Nothing passes or fails by the clock. It fails where a night does other than its plan said, where what was
# copied has not the digest and the count that the first night had, or where the idle night built something.
# KILN (or --kiln) is the program. Every option: benches/nights/run.sh --help.
set -euo pipefail
exec python3 "$(cd "$(dirname "$0")" && pwd)/nights.py" "$@"
