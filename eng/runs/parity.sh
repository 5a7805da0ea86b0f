#!/usr/bin/env bash
# Compares with the reference outputs of peers and prints, for each family, cases, largest error, mismatches and skipped cases.
# Every test of the category Parity tells what it measured to the file that INSTRUCTTUNE_PARITY_LOG names.
set -euo pipefail

build=(dotnet build --configuration Release --verbosity quiet -nologo -clp:NoSummary)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
for project in Numerics Unit LlamaCpp; do
  name="InstructTune.$project.Tests"
  "${build[@]}" "tests/$name"
  INSTRUCTTUNE_PARITY_LOG="$log" "artifacts/bin/$name/release_linux-x64/$name" -noColor -trait Category=Parity |
    grep -vE '^ *(Discover|Start|Finish)|^xUnit|^===' || failed=1
  [ "${PIPESTATUS[0]}" -eq 0 ] || failed=1
done

bash eng/parity-table.sh "$log"
exit "$failed"
