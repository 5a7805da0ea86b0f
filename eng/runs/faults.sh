#!/usr/bin/env bash
# Attacks the product, by the numbers of docs/reliability.md, in the long form: eng/run faults N|soak [SEED]
set -euo pipefail
[ $# -ge 1 ] || { echo "Usage: eng/run faults N|soak [SEED]" >&2; exit 2; }
dotnet build tests/InstructTune.Faults.Tests --configuration Release --verbosity quiet -nologo -clp:NoSummary
export INSTRUCTTUNE_FAULT_LONG=1 INSTRUCTTUNE_FAULT_SEED="${2:-$RANDOM}"
echo "seed=$INSTRUCTTUNE_FAULT_SEED commit=$(git rev-parse --short HEAD) replay: eng/run faults $1 $INSTRUCTTUNE_FAULT_SEED"
exec artifacts/bin/InstructTune.Faults.Tests/release_linux-x64/InstructTune.Faults.Tests -trait "fault=$1" -explicit on -showLiveOutput
