#!/usr/bin/env bash
# Mixed traffic against a server with little memory, each answer checked: eng/run serving-soak [MINUTES, 20 when absent] [SEED] [--leave-out-adapter-digest]
set -euo pipefail
name=InstructTune.Integration.Tests
method=Mixed_traffic_gives_no_wrong_answer_and_leaves_nothing_behind
arguments=()
for argument in "$@"; do
  if [ "$argument" = --leave-out-adapter-digest ]; then
    # The server is built with a defect of its own for this: the run passes when it notices.
    method=Without_the_adapter_in_the_key_a_wrong_answer_is_noticed_within_a_minute
  else
    arguments+=("$argument")
  fi
done
dotnet build "tests/$name" --configuration Release --verbosity quiet -nologo -clp:NoSummary
export INSTRUCTTUNE_SOAK_MINUTES="${arguments[0]:-20}" INSTRUCTTUNE_SOAK_SEED="${arguments[1]:-1}"
verdict=$(mktemp)
export INSTRUCTTUNE_VERDICT=$verdict
status=0
"artifacts/bin/$name/release_linux-x64/$name" -noColor -diagnostics -method "$name.Inference.Load.ServingSoakTests.$method" || status=$?
cat "$verdict"
rm -f "$verdict"
exit $status
