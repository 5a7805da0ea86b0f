#!/usr/bin/env bash
# Measures what loading costs (1.1B with numbers, 7B with holes) and, with a GGUF file, how fast it is imported and continued: eng/run load-figures [FILE.gguf]
# Needs 3 GB of temporary disk space, and 14 GB of memory for the 7B model; set TMPDIR to put the files elsewhere. All of it is deleted.
set -euo pipefail
dotnet build eng/load-figures --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.LoadFigures/release_linux-x64/InstructTune.LoadFigures "$@"
