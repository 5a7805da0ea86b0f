#!/usr/bin/env bash
# Draws a million tokens in each of ten settings and compares with the distribution: eng/run chi-square [DRAWS]
set -euo pipefail
dotnet build tests/InstructTune.Unit.Tests --configuration Release --verbosity quiet -nologo -clp:NoSummary
INSTRUCTTUNE_DRAWS="${1:-1000000}" exec artifacts/bin/InstructTune.Unit.Tests/release_linux-x64/InstructTune.Unit.Tests \
  -class InstructTune.Unit.Tests.Modeling.Generation.DrawDistributionTests
