#!/usr/bin/env bash
# The peer of rows a and b: what a good engineer would write in a shell. One psql session, each table
# made in the transaction that fills it (so that FREEZE may be said, and WAL is spared where the
# server allows it), one stream at a time.
#
#   shell.sh zip RELEASE.zip URL       unzip -p | psql \copy, CREATE INDEX one by one, ANALYZE
#   shell.sh text FOLDER URL           \copy of the extracted text alone
#
# RELEASE.zip is read from disk: fetching it from S3 would only add to the time.
set -euo pipefail

how=$1 from=$2 url=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

declare -A file=(
    [geographic_locator]='geographic locator' [plan_information]='plan information'
    [basic_drugs_formulary]='basic drugs formulary' [beneficiary_cost]='beneficiary cost'
    [insulin_beneficiary_cost]='insulin beneficiary cost' [excluded_drugs_formulary]='excluded drugs formulary'
    [indication_based_coverage]='indication based coverage' [pharmacy_networks]='pharmacy networks' [pricing]='pricing'
)
if [ "$how" = zip ]; then names=$(unzip -Z1 "$from"); else names=$(ls "$from"); fi

script() {
    local table name source encoding
    for table in geographic_locator plan_information basic_drugs_formulary beneficiary_cost insulin_beneficiary_cost \
        excluded_drugs_formulary indication_based_coverage pricing pharmacy_networks; do
        encoding=UTF8
        case $table in geographic_locator | plan_information | indication_based_coverage) encoding=WIN1252 ;; esac
        echo 'begin;'
        sed -n "/^create table $table (/,/^);/p" "$here/cms.sql"
        while read -r name; do
            source="'$from/$name'"
            [ "$how" = text ] || source="program 'unzip -p \"$from\" \"$name\" >$work/inner.zip && unzip -p $work/inner.zip'"
            echo "\\copy $table from $source with (format text, header, delimiter '|', null ' ', freeze, encoding '$encoding')"
        done < <(grep -i "^${file[$table]}" <<<"$names")
        echo 'commit;'
    done
    [ "$how" = text ] || cat "$here/keys.sql"
}
script >"$work/script.sql"
psql -X -q -v ON_ERROR_STOP=1 "$url" -f "$work/script.sql"
