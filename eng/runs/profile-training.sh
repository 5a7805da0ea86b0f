#!/usr/bin/env bash
# Where the time of a training step goes, and what its products reach alone: eng/run profile-training ROW... [one-thread] [parts]
set -euo pipefail
dotnet build tests/InstructTune.Benchmarks --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.Benchmarks/release_linux-x64/InstructTune.Benchmarks training-profile "$@"
