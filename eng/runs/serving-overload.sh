#!/usr/bin/env bash
# Capacity, then ten times as much, open loop, with a light tenant beside it: eng/run serving-overload [SECONDS, 120 when absent]
set -euo pipefail
name=InstructTune.Integration.Tests
dotnet build "tests/$name" --configuration Release --verbosity quiet -nologo -clp:NoSummary
export INSTRUCTTUNE_OVERLOAD_SECONDS="${1:-120}"
verdict=$(mktemp)
export INSTRUCTTUNE_VERDICT=$verdict
status=0
"artifacts/bin/$name/release_linux-x64/$name" -noColor -diagnostics -class "$name.Inference.Load.ServingOverloadTests" || status=$?
cat "$verdict"
rm -f "$verdict"
exit $status
