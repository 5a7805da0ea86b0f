#!/usr/bin/env bash
# The job protocol under message loss on a simulated clock: eng/run simulation [STEPS, 20,000,000 when absent] [SEED]
set -euo pipefail
name=InstructTune.Unit.Tests
dotnet build "tests/$name" --configuration Release --verbosity quiet -nologo -clp:NoSummary
export INSTRUCTTUNE_SIMULATION_STEPS="${1:-20000000}" INSTRUCTTUNE_FAULT_SEED="${2:-1}"
exec "artifacts/bin/$name/release_linux-x64/$name" -noColor -showLiveOutput -class "$name.Jobs.Simulation.JobSimulationTests"
