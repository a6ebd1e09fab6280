#!/bin/sh
# Generates the shipped networks for each readout into a temporary folder and checks the RTL of every build directory.
set -eu
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo=${CARGO:-cargo}

for network in digits_binary digits_ternary; do
  for readout in pcsa sa; do
    printf 'readout = "%s"\n[array]\ninputs = 64\noutputs = 64\n' "$readout" >"$folder/$readout.toml"
    $cargo run --quiet --bin hafnia -- generate "networks/$network.safetensors" \
      --hardware "$folder/$readout.toml" -o "$folder/$network-$readout"
  done
done
scripts/lint-rtl.sh "$folder"/*-pcsa "$folder"/*-sa
