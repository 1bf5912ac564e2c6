#!/bin/sh
# Every figure of RESULTS.md. Usage: sh benchmarks/all.sh BIN DATA, where BIN holds the python of the environment and
# DATA the public sets (they are not ours to ship: see README, "Figures").
set -eu
python="$1/python"
data="${2:?say where the public data sets are: make bench DATA=../shared/data}"
here=$(dirname "$0")
for set in "xeducation_leads xeducation time" "xeducation_leads xeducation cv" \
           "bank_additional_full bank time" "hillstrom_email hillstrom cv"; do
    # shellcheck disable=SC2086
    set -- $set
    "$python" "$here/conversion.py" "$data/$1.csv.gz" --mapping "$2" --protocol "$3"
done
"$python" "$here/http_equals_batch.py" "$data/xeducation_leads.csv.gz" --mapping xeducation
"$python" "$here/reasons.py" --train starter --test "$data/notes/dev.jsonl"
"$python" "$here/planted_faults.py"
