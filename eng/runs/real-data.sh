#!/usr/bin/env bash
# Trains nano twice and SmolLM2-135M once on real data, specialist only and in two stages, and scores all of them: eng/run real-data [--short] [--only JOB] [--out DIR] [SHARED]
#
# JOB is nano-lima-superni, nano-alpaca-yelp or smollm2-alpaca-superni. SHARED (default: ../shared) holds models/ and data/; without it the run is
# skipped. Writes DIR (default: artifacts/real-data): table.txt, minutes.txt, and for each job its report as HTML, its model card and its logs.
set -euo pipefail

shared=../shared out=artifacts/real-data short="" only=""
while [ $# -gt 0 ]; do
  case "$1" in
    --short) short=1 ;;
    --only) only="$2"; shift ;;
    --out) out="$2"; shift ;;
    *) shared="$1" ;;
  esac
  shift
done

for part in models/nano data/generalist/lima.json data/superni/sentiment data/sentiment/yelp_reviews; do
  if [ ! -e "$shared/$part" ]; then
    echo "real-data is skipped: $shared/$part is not here; name the folder with models/ and data/ as the argument."
    exit 0
  fi
done
if ! command -v python3 > /dev/null; then
  echo "real-data is skipped: python3 is not here, which makes instructions of the Yelp reviews."
  exit 0
fi

mkdir -p "$out"
scratch="$(mktemp -d)"
export INSTRUCTTUNE_HOME="$scratch/home"
unset INSTRUCTTUNE_SERVER INSTRUCTTUNE_API_KEY
it() { ./instructtune "$@"; }

it --help > /dev/null # builds what is stale before anything is timed
./instructtune up --port 0 > "$scratch/server.log" 2>&1 &
server=$!
stop() {
  kill -TERM "$server" 2> /dev/null || true
  wait "$server" 2> /dev/null || true
  rm -rf "$scratch"
}
trap stop EXIT
for _ in $(seq 1 600); do
  [ -f "$INSTRUCTTUNE_HOME/endpoint.json" ] && break
  kill -0 "$server" 2> /dev/null || { cat "$scratch/server.log" >&2; exit 1; }
  sleep 0.1
done

# Reviews with few and with many stars, as many of each; the first half of the file to train, other ones to test.
yelp() {
  python3 - "$shared/data/sentiment/yelp_reviews/$1.csv" "$2" > "$3" << 'PY'
import csv, json, sys
path, count = sys.argv[1], int(sys.argv[2])
kept = {"negative": [], "positive": []}
with open(path, encoding="utf-8", newline="") as file:
    for row in csv.DictReader(file):
        stars = float(row["label2"].rsplit(":", 1)[1])
        label = "negative" if stars <= 2 else "positive" if stars >= 4 else None
        text = " ".join(row["text"].split())
        if label and 80 <= len(text) <= 500 and len(kept[label]) < (count + 1) // 2:
            kept[label].append({"instruction": "Is this review positive or negative?", "input": text, "output": label, "choices": ["positive", "negative"], "task": "yelp_polarity"})
for pair in zip(kept["positive"], kept["negative"]):
    for row in pair:
        print(json.dumps(row))
PY
}

pick() { if [ -n "$short" ]; then echo "$1"; else echo "$2"; fi; }

# NAME BASE GENERALIST TRAIN TEST METHOD RATES SIZES METRICS...: both arms, the scores, the report.
job() {
  local name="$1" base="$2" generalist="$3" train="$4" test="$5" method="$6" rate="$7" examples="$8" epochs="$9" batch="${10}" tokens="${11}" tests="${12}"
  shift 12
  local started common
  started=$(date +%s)
  common=(--base "$base" --method "$method" --learning-rate "$rate" --max-sequence-tokens "$tokens" --batch-size "$batch" --seed 1)
  echo "== $name" >&2
  it finetune create "${common[@]}" --specialist "$train" --max-examples "${examples#*,}" --epochs "${epochs#*,}" --name "$name-only" --output "$name-only" --watch > /dev/null
  it finetune create "${common[@]}" --generalist "$generalist" --specialist "$train" --max-examples "generalist=${examples%,*},specialist=${examples#*,}" \
    --epochs "generalist=${epochs%,*},specialist=${epochs#*,}" --name "$name-both" --output "$name-both" --watch > /dev/null
  local trained=$(($(date +%s) - started))
  {
    echo
    echo "== $name: base, specialist only ($name-only), both stages ($name-both); generalist $generalist, ${examples%,*} examples; specialist $train, ${examples#*,} examples; $tests held-out examples"
    it eval run --data "$test" "$@" --model "$base" --model "$name-only" --model "$name-both" --max-examples "$tests" --max-tokens 16 --seed 1 2> /dev/null
  } | tee -a "$out/table.txt"
  echo "$name: $((trained / 60)) min $((trained % 60)) s to train both arms, $((($(date +%s) - started) / 60)) min $((($(date +%s) - started) % 60)) s in all" | tee -a "$out/minutes.txt"
  for arm in only both; do
    it finetune report "$name-$arm" --out "$out/$name-$arm.html" > /dev/null
    it finetune log "$name-$arm" --export "$out/$name-$arm-logs" > /dev/null
    it model card "$name-$arm" --out "$out/$name-$arm.md" > /dev/null
  done
}

wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }
rm -f "$out/table.txt" "$out/minutes.txt"
begun=$(date +%s)
it model import "$shared/models/nano" --name nano > /dev/null 2>&1
it dataset import "$shared/data/superni/sentiment" --name sentiment --max-examples-per-task "$(pick 12 40)" > /dev/null 2>&1
parts="$(it dataset split sentiment --part train=0.7 --part test=0.3 --stratify --seed 1)"
train="$(awk '$1 == "train" { print $2 }' <<< "$parts")" test="$(awk '$1 == "test" { print $2 }' <<< "$parts")"

if wanted nano-lima-superni; then
  it dataset import "$shared/data/generalist/lima.json" --name lima > /dev/null 2>&1
  job nano-lima-superni nano lima "$train" "$test" full 5e-4 "$(pick 32,48 256,400)" "1,$(pick 1 2)" 16 "$(pick 256 1024)" "$(pick 20 120)" --metric rougeL --metric em
fi

if wanted nano-alpaca-yelp || wanted smollm2-alpaca-superni; then
  it dataset import "$shared/data/generalist/alpaca_gpt4_demo_999.json" --name alpaca > /dev/null 2>&1
fi

if wanted nano-alpaca-yelp; then
  yelp dev 600 "$scratch/yelp-train.jsonl"
  yelp test 200 "$scratch/yelp-test.jsonl"
  it dataset import "$scratch/yelp-train.jsonl" --name yelp > /dev/null 2>&1
  it dataset import "$scratch/yelp-test.jsonl" --name yelp-test > /dev/null 2>&1
  job nano-alpaca-yelp nano alpaca yelp yelp-test full 5e-4 "$(pick 32,48 400,400)" "1,$(pick 1 3)" 16 "$(pick 256 512)" "$(pick 20 200)" --metric em --metric acc
fi

gguf="$shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
if wanted smollm2-alpaca-superni; then
  if [ -f "$gguf" ]; then
    it model import "$gguf" --name smollm2 > /dev/null 2>&1
    job smollm2-alpaca-superni smollm2 alpaca "$train" "$test" lora 5e-4 "$(pick 8,8 48,96)" "1,$(pick 1 2)" 8 256 "$(pick 8 80)" --metric rougeL --metric em
  else
    echo "smollm2-alpaca-superni is skipped: $gguf is not here." | tee -a "$out/table.txt"
  fi
fi

echo "all: $((($(date +%s) - begun) / 60)) min $((($(date +%s) - begun) % 60)) s" | tee -a "$out/minutes.txt"
echo "Written: $out" >&2
