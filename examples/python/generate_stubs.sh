#!/usr/bin/env bash
# Generates the Python stubs of the API into examples/python/generated, from the protos of this repository.
# Needs protoc and the gRPC plugin (Debian, Ubuntu: apt-get install protobuf-compiler protobuf-compiler-grpc).
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
protos="$(cd "$here/../../protos" && pwd)"
for program in protoc grpc_python_plugin; do
  command -v "$program" > /dev/null || {
    echo "$program is missing (Debian, Ubuntu: apt-get install protobuf-compiler protobuf-compiler-grpc)" >&2
    exit 1
  }
done

out="${1:-$here/generated}"
mkdir -p "$out"
protoc -I "$protos" \
  --python_out="$out" \
  --grpc_out="$out" \
  --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" \
  "$protos"/instructtune/v1/*.proto
