#!/usr/bin/env bash
# Measures tokenizers beside Tokenizers.DotNet: eng/run bench-tokenizer [FOLDER-OF-TOKENIZERS [DATA-FOLDER]]
set -euo pipefail
fixtures=${INSTRUCTTUNE_FIXTURES:-$PWD/../shared/fixtures}
dotnet build tests/InstructTune.Benchmarks --configuration Release --verbosity quiet -nologo -clp:NoSummary
exec artifacts/bin/InstructTune.Benchmarks/release_linux-x64/InstructTune.Benchmarks tokenizer "${1:-$fixtures/tokenizers}" "${2:-$fixtures/../data/text}"
