#!/usr/bin/env bash
# Tries mutated files on the parsers: eng/run fuzz [TARGET|all] [COUNT, 100000 when absent] [SEED]
set -euo pipefail
dotnet build tests/InstructTune.Fuzz --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.Fuzz/release_linux-x64/InstructTune.Fuzz "${1:-all}" "${2:-100000}" "${3:-1}" artifacts/fuzz-failures
