#!/usr/bin/env bash
# The scheduler under random load, cancels, faults and scarce memory: eng/run serving-simulation [STEPS, 1,000,000 when absent] [SEED]
set -euo pipefail
name=InstructTune.Unit.Tests
dotnet build "tests/$name" --configuration Release --verbosity quiet -nologo -clp:NoSummary
export INSTRUCTTUNE_SIMULATED_STEPS="${1:-1000000}" INSTRUCTTUNE_SIMULATION_SEED="${2:-1}"
exec "artifacts/bin/$name/release_linux-x64/$name" -noColor -diagnostics -class "$name.Inference.SchedulerSimulationTests"
