#!/usr/bin/env bash
# Measures our serving kernels beside llama.cpp, same weights and prompts, in turns, on a quiet machine: eng/run bench-serving [--rows PATTERN] [--rounds N]
# Makes its models below artifacts/bench-serving (about 3.5 GB, kept for the next run). The whole takes about 12 minutes with 3 rounds.
set -euo pipefail
fixtures=${INSTRUCTTUNE_FIXTURES:-$PWD/../shared/fixtures}
for project in tests/InstructTune.Benchmarks tests/InstructTune.LlamaCppPeer; do
  dotnet build "$project" --configuration Release --verbosity quiet -nologo -clp:NoSummary
done
# Threads of llama.cpp (OpenMP) stay on their cores between calls, as its own programs have them, and rest while ours run.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)}
exec artifacts/bin/InstructTune.Benchmarks/release_linux-x64/InstructTune.Benchmarks serving \
  --peer artifacts/bin/InstructTune.LlamaCppPeer/release_linux-x64/InstructTune.LlamaCppPeer \
  --models artifacts/bench-serving --smollm "$fixtures/../models/smollm2-135m-instruct" \
  --commit "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$@"
