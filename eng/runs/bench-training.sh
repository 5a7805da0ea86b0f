#!/usr/bin/env bash
# Measures training: tokens/s, share of the GEMM peak, where the time goes, memory: eng/run bench-training [ROW...]
set -euo pipefail
export INSTRUCTTUNE_FIXTURES=${INSTRUCTTUNE_FIXTURES:-$PWD/../shared/fixtures}
dotnet build tests/InstructTune.Benchmarks --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.Benchmarks/release_linux-x64/InstructTune.Benchmarks training "$@"
