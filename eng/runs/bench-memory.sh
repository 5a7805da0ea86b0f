#!/usr/bin/env bash
# Predicted against measured memory and time of training, by shape and method, each in its own process: eng/run bench-memory [CASE...]
set -euo pipefail
dotnet build tests/InstructTune.Benchmarks --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.Benchmarks/release_linux-x64/InstructTune.Benchmarks training-memory "$@"
