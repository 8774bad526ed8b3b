#!/usr/bin/env bash
# One build by one process, and by 1, 2 and 4 workers with `kiln begin`, `kiln work`, `kiln finish`: times, the
# machine's CPU seconds, and the digest of every source, which must be the same. Writes RESULT.md and RESULT.json
# beside this file.
#
#   benches/workers/run.sh                    at scale 0.05: 18 million rows
#   benches/workers/run.sh --scale 0.01 --rounds 1
#
# Nothing passes or fails by the clock. It fails where a digest differs, or where a task was done twice. Run it on a
# machine that does nothing else: CPU is that of the whole machine, Postgres and the S3 endpoint among it. KILN (or
# --kiln) is the program. Every option: benches/workers/run.sh --help.
set -euo pipefail
exec python3 "$(cd "$(dirname "$0")" && pwd)/workers.py" "$@"
