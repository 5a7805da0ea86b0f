#!/usr/bin/env bash
# Prints the table of a file of ParityLog: one line for each family.
set -euo pipefail
jq -rs '
  group_by(.family)[]
  | (map(select(.outcome != "skipped"))) as $run
  | [ .[0].family,
      ($run | map(.case) | unique | length),
      ($run | map(select(.error != null) | .error) | max // "-"),
      ($run | map(select(.error != null) | .tolerance) | max // "-"),
      ($run | map(select(.outcome == "mismatch")) | length),
      (map(select(.outcome == "skipped") | .case) | unique | length) ]
  | @tsv' "$1" |
  awk -F '\t' '
    BEGIN { printf "%-34s %6s %14s %10s %11s %8s\n", "family", "cases", "largest error", "allowed", "mismatches", "skipped" }
    function number(x) { return x == "-" ? x : x == 0 ? "0" : sprintf("%.2g", x) }
    { printf "%-34s %6d %14s %10s %11d %8d\n", $1, $2, number($3), number($4), $5, $6; cases += $2; wrong += $5; skipped += $6 }
    END { printf "%-34s %6d %14s %10s %11d %8d\n", "all", cases, "", "", wrong, skipped }'
