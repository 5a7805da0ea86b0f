#!/usr/bin/env bash
# Measures the inference service under traffic (adapters, random arrivals, shared prefixes, first use, cancels, starts): eng/run bench-traffic [--quick] [--rows PATTERN] [--repetitions N] [--weight-format int8]
# Uses the SmolLM2-135M of `eng/run bench-serving` below artifacts/bench-serving. The whole takes about 9 minutes, --quick one and a half.
set -euo pipefail
for project in tests/InstructTune.Benchmarks services/inference/InstructTune.Inference; do
  dotnet build "$project" --configuration Release --verbosity quiet -nologo -clp:NoSummary
done
exec artifacts/bin/InstructTune.Benchmarks/release_linux-x64/InstructTune.Benchmarks traffic \
  --server artifacts/bin/InstructTune.Inference/release_linux-x64/InstructTune.Inference --models artifacts/bench-serving \
  --commit "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$@"
