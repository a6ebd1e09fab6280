#!/bin/sh
# Generates the shipped networks for each readout, with few-shot memories and with spares, into a temporary folder and checks the RTL of every build directory.
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
# A few-shot memory of either readout behind the last one.
for readout in pcsa adc; do
  printf '[memory]\nkeys = 7\nclasses = 3\nscore = "mean"\nreadout = "%s"\narray = { inputs = 4, outputs = 4 }\n' \
    "$readout" >"$folder/memory.toml"
  $cargo run --quiet --bin hafnia -- generate networks/digits_binary.safetensors --hardware "$folder/memory.toml" \
    -o "$folder/memory-$readout"
done
# Arrays that are programmed over the register bus, beside a few-shot memory.
for readout in pcsa sa adc; do
  printf 'readout = "%s"\n[array]\ninputs = 64\noutputs = 64\n[program]\n[memory]\nkeys = 7\nclasses = 3\n' \
    "$readout" >"$folder/program.toml"
  $cargo run --quiet --bin hafnia -- generate networks/digits_ternary.safetensors --hardware "$folder/program.toml" \
    -o "$folder/program-$readout"
done
# Word lines of one and two cells, the only ones of the design.
for outputs in 1 2; do
  printf 'readout = "sa"\n[array]\ninputs = 256\noutputs = %s\n[layer.fc3]\nreadout = "digital"\n[program]\n' \
    "$outputs" >"$folder/cells.toml"
  $cargo run --quiet --bin hafnia -- generate networks/digits_binary.safetensors --hardware "$folder/cells.toml" \
    -o "$folder/cells-$outputs"
done
# 8-bit inputs, bit by bit.
for readout in pcsa adc; do
  printf '[array]\ninputs = 64\noutputs = 64\n[layer.fc1]\nreadout = "%s"\n' "$readout" >"$folder/bits.toml"
  $cargo run --quiet --bin hafnia -- generate networks/digits_binary.safetensors --hardware "$folder/bits.toml" \
    -o "$folder/bits-$readout"
done
# Arrays with spares.
for readout in pcsa sa adc; do
  printf 'readout = "%s"\n[array]\ninputs = 64\noutputs = 8\nspare_word_lines = 2\nspare_columns = 4\n[fold]\nsensed_at_once = 3\ncolumns_per_amplifier = 2\n[program]\n' \
    "$readout" >"$folder/spares.toml"
  $cargo run --quiet --bin hafnia -- generate networks/digits_ternary.safetensors --hardware "$folder/spares.toml" \
    -o "$folder/spares-$readout"
done
scripts/lint-rtl.sh "$folder"/*-pcsa "$folder"/*-sa "$folder"/*-adc
