#!/usr/bin/env bash
# 20,000 jobs with 2 % crashes and 1 % zombies on Garnet and redis-server, both durable: eng/run jobs-load [JOBS] [WORKERS] [SEED]
set -euo pipefail
dotnet build tests/InstructTune.JobsLoad --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.JobsLoad/release_linux-x64/InstructTune.JobsLoad load "$@"
