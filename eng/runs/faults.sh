#!/usr/bin/env bash
# Attacks the product, by the numbers of docs/reliability.md, in the long form: eng/run faults N|soak|all [SEED]
#
# all: every number in turn, with a line of a table for each as it ends; fails when one does. INSTRUCTTUNE_FAULTS="6 7" takes only these,
# INSTRUCTTUNE_FAULT_PERCENT=50 half of each.
set -euo pipefail
[ $# -ge 1 ] || { echo "Usage: eng/run faults N|soak|all [SEED]" >&2; exit 2; }
export INSTRUCTTUNE_FAULT_LONG=1 INSTRUCTTUNE_FAULT_SEED="${2:-$RANDOM}"
program=artifacts/bin/InstructTune.Faults.Tests/release_linux-x64/InstructTune.Faults.Tests

one() {
  case "$1" in
    9) bash eng/runs/jobs-model.sh ;;
    10) bash eng/runs/jobs-load.sh 1000 64 "$INSTRUCTTUNE_FAULT_SEED" ;;
    *) "$program" -trait "fault=$1" -explicit on -showLiveOutput ;;
  esac
}

dotnet build tests/InstructTune.Faults.Tests --configuration Release --verbosity quiet -nologo -clp:NoSummary
echo "seed=$INSTRUCTTUNE_FAULT_SEED commit=$(git rev-parse --short HEAD) replay: eng/run faults $1 $INSTRUCTTUNE_FAULT_SEED"
if [ "$1" != all ]; then
  one "$1"
  exit
fi

failed=0
logs=artifacts/faults
mkdir -p "$logs"
echo "| N | seconds | result |"
echo "| --- | --- | --- |"
for number in ${INSTRUCTTUNE_FAULTS:-8 9 10 13 15 16 24 36 35 14 12 11 5 4 3 6 28 7 31 30 34 22 1 2 soak}; do
  began=$(date +%s)
  result=met
  one "$number" > "$logs/$number.txt" 2>&1 || { failed=1 result="FAILED, see $logs/$number.txt"; }
  echo "| $number | $(($(date +%s) - began)) | $result |"
done
exit $failed
