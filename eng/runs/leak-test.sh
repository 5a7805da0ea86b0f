#!/usr/bin/env bash
# Runs 10,000 steps (or the given number) of every kind of training and of serving, and fails when a tensor stays or memory grows.
set -euo pipefail

name=InstructTune.Numerics.Tests
dotnet build --configuration Release --verbosity quiet -nologo -clp:NoSummary "tests/$name"
INSTRUCTTUNE_LEAK_STEPS="${1:-10000}" "artifacts/bin/$name/release_linux-x64/$name" -noColor -trait Category=Leak
