#!/usr/bin/env bash
# Measures sampling, log-probabilities and stop sequences per token: eng/run bench-sampler
set -euo pipefail
dotnet build tests/InstructTune.Benchmarks --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.Benchmarks/release_linux-x64/InstructTune.Benchmarks sampler
