#!/usr/bin/env bash
# Random commands on the scripts of both stores and on their specification: eng/run jobs-model [RUNS of 20 commands, 5,000 when absent]
set -euo pipefail
name=InstructTune.Integration.Tests
dotnet build "tests/$name" --configuration Release --verbosity quiet -nologo -clp:NoSummary
export INSTRUCTTUNE_MODEL_RUNS="${1:-5000}"
exec "artifacts/bin/$name/release_linux-x64/$name" -noColor -class "$name.Jobs.JobModelTests"
