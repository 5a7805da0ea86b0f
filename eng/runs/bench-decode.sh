#!/usr/bin/env bash
# Prints tokens/s of the serving kernels in every weight format, in the shape of SmolLM2-135M: eng/run bench-decode [free|pinned] [FORMAT]
set -euo pipefail
dotnet build tests/InstructTune.Numerics.Tests --configuration Release --verbosity quiet -nologo -clp:NoSummary
export INSTRUCTTUNE_BENCH_THREADS="${1:-free}" INSTRUCTTUNE_BENCH_FORMAT="${2:-}"
artifacts/bin/InstructTune.Numerics.Tests/release_linux-x64/InstructTune.Numerics.Tests -noColor -explicit only -showLiveOutput \
  -class InstructTune.Numerics.Tests.Serving.DecodeThroughputTests
