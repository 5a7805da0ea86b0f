#!/usr/bin/env bash
# Makes models/world-base from nothing but this repository: texts and vocabulary from the synthetic world, random weights, and a
# training by the product's own trainer service. Takes about ten minutes on two cores; equal machines give equal weights.
# THREADS is the number of torch threads, on which the bits depend. RECIPE and OUT name another job file and another folder, to try
# something without touching the base that is kept.
set -euo pipefail
cd "$(dirname "$0")/.."

configuration="${CONFIGURATION:-Release}"
recipe="${RECIPE:-eng/base-model/recipe.yaml}"
out="${OUT:-models/world-base}"
threads="${THREADS:-2}"
work="$(mktemp -d)"
server=""
cleanup() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT

for project in eng/base-model services/standalone/InstructTune.Standalone clients/InstructTune.Cli; do
  dotnet build "$project" -c "$configuration" -v q -nologo -clp:NoSummary
done
binaries="artifacts/bin"
folder="${configuration,,}_linux-x64"
base_model() { "$binaries/InstructTune.BaseModel/$folder/InstructTune.BaseModel" "$@"; }
instructtune() { "$binaries/InstructTune.Cli/$folder/instructtune" --server "$address" --api-key "$key" "$@"; }
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$2" | head -1; }

base_model init "$work"

data="$work/data"
"$binaries/InstructTune.Standalone/$folder/InstructTune.Standalone" --data "$data" --port 0 --Torch:Threads "$threads" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 300); do
  [ -f "$data/endpoint.json" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
  sleep 0.2
done
address="$(field address "$data/endpoint.json")"
key="$(field apiKey "$data/endpoint.json")"

instructtune model import "$work/model" --name world-untrained
instructtune dataset import "$work/base.txt" --name world-text --format text
started=$SECONDS
instructtune finetune create -f "$recipe" --name world-base --output-model world-base --watch
seconds=$((SECONDS - started))

instructtune --json finetune list >"$work/job.json"
instructtune --json model show world-base >"$work/version.json"
loss="$(printf %.4f "$(sed -n 's/.*"\(trainingLoss\|training_loss\)": *\([0-9.]*\).*/\2/p' "$work/job.json" | head -1)")"
manifest="$(sed -n 's/.*"\(manifestSha256\|manifest_sha256\)": *"\([^"]*\)".*/\2/p' "$work/version.json" | head -1)"
base_model finish "$data/storage/artifacts/$manifest" "$out" "$loss" "$seconds" "$threads"
