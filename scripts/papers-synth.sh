#!/bin/sh
# Synthesizes the papers' networks at full size, with random weights: cells by block. An hour or more for the CNN at first;
# netlists of modules are kept, and an interrupted run goes on where it was.
# Usage: scripts/papers-synth.sh [OUT ["NETWORK ..." ["READOUT ..." ["INPUTS ..."]]]]
#        HAFNIA=path of the program; TARGET=generic, lut4 or lut6
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/papers}
networks=${2:-mlp cnn vgg}
readouts=${3:-sa pcsa}
sizes=${4:-128}
hafnia=${HAFNIA:-target/release/hafnia}
mkdir -p "$out"
for network in $networks; do
    [ -s "$out/$network.safetensors" ] || python3 docs/examples/papers_networks.py "$network" "$out/$network.safetensors"
    for readout in $readouts; do
        for inputs in $sizes; do
            name="$network-$readout-$inputs-synth"
            # A first layer of 2,048 neurons at once would be most of the chip.
            printf 'readout = "%s"\n[array]\ninputs = %s\n[digital]\ninputs_at_once = 32\nneurons_at_once = 16\n' \
                "$readout" "$inputs" >"$out/$name.toml"
            echo "== $network, $readout, $inputs inputs an array"
            "$hafnia" generate "$out/$network.safetensors" --hardware "$out/$name.toml" -o "$out/$name"
            "$hafnia" synth "$out/$name" --target "${TARGET:-generic}" --out "$out/netlists/$name"
        done
    done
done
