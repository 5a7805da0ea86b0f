#!/usr/bin/env bash
# Builds everything and runs every test project. The last line is "N passed, N failed, N skipped".
# Usage: eng/test.sh [PROJECT...]    such as: eng/test.sh Unit Numerics
set -uo pipefail
cd "$(dirname "$0")/.."

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
projects=("$@")
[ ${#projects[@]} -gt 0 ] || projects=(Architecture Unit Numerics LlamaCpp Integration Faults EndToEnd)

echo "Restoring and building ..."
dotnet restore --locked-mode --verbosity quiet || exit 1
dotnet build --no-restore --configuration Release --verbosity quiet -nologo -clp:NoSummary || exit 1

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for project in "${projects[@]}"; do
  name="InstructTune.$project.Tests"
  echo "== $name"
  started=$SECONDS
  "artifacts/bin/$name/release_linux-x64/$name" -noColor 2>&1 | tee "$log" | grep -vE '^ *(Discover|Start|Finish)|^xUnit|^===' || true
  summary=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+, Not Run: [0-9]+' "$log" | tail -n 1)
  if [ -z "$summary" ]; then
    # The process ended without a summary: it crashed, and whatever it had left to run did not.
    echo "$name ended without a summary"
    failed=$((failed + 1))
    continue
  fi
  read -r total errors fails skips explicit <<< "$(tr -dc '0-9 ' <<< "${summary//,/ }" | xargs)"
  failed=$((failed + errors + fails))
  skipped=$((skipped + skips))
  passed=$((passed + total - fails - skips - explicit)) # tests that run only on demand count for nothing
  echo "$summary, $((SECONDS - started)) s"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
