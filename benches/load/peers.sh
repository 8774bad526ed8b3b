#!/usr/bin/env bash
# Installs what benches/load/run.sh compares with: ogr2ogr and pgloader by apt; adbc + pyarrow, dlt
# and sling by pip, into a venv of their own below the scratch folder. What cannot be installed is
# named and left out of the comparison.
#
#   benches/load/peers.sh [SCRATCH]      default: as in run.sh, /var/tmp/kiln-bench
set -uo pipefail

scratch=${1:-/var/tmp/kiln-bench}
export DEBIAN_FRONTEND=noninteractive
missing=()
try() { # what, command
    local what=$1
    shift
    echo "==> $what"
    "$@" || missing+=("$what")
}

command -v psql >/dev/null && command -v unzip >/dev/null && command -v openssl >/dev/null ||
    { apt-get -qq update; try "psql, unzip, openssl" apt-get -qq -y install --no-install-recommends postgresql-client unzip openssl; }
command -v ogr2ogr >/dev/null && command -v pgloader >/dev/null || apt-get -qq update
command -v ogr2ogr >/dev/null || try ogr2ogr apt-get -qq -y install --no-install-recommends gdal-bin
command -v pgloader >/dev/null || try pgloader apt-get -qq -y install --no-install-recommends pgloader

mkdir -p "$scratch"
[ -x "$scratch/venv/bin/pip" ] || try "python3 -m venv" python3 -m venv "$scratch/venv"
for packages in "adbc-driver-postgresql pyarrow" "dlt[postgres] pyarrow" "sling-linux-$(dpkg --print-architecture)"; do
    # shellcheck disable=SC2086
    try "$packages" "$scratch/venv/bin/pip" install --quiet --disable-pip-version-check $packages
done

((${#missing[@]} == 0)) || printf 'not installed: %s\n' "${missing[@]}" >&2
exit 0
