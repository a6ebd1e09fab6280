#!/bin/sh
# The papers' networks at full size, with random weights, on every array size: real test images, every layer compared.
# Usage: HAFNIA_DATA=DIR scripts/papers-matrix.sh [OUT ["NETWORK ..." ["READOUT ..." ["INPUTS ..."]]]]
#        HAFNIA=path of the program; IMAGES=number (default: 20 for mlp, 10 for sa, 2 for others)
set -eu
cd "$(dirname "$0")/.."
: "${HAFNIA_DATA:?set it to the folder that holds mnist/ and cifar10/}"
out=${1:-build/papers}
networks=${2:-mlp cnn vgg}
readouts=${3:-sa pcsa}
sizes=${4:-128 256 512}
hafnia=${HAFNIA:-target/release/hafnia}
mkdir -p "$out"
status=0
for network in $networks; do
    [ -s "$out/$network.safetensors" ] || python3 docs/examples/papers_networks.py "$network" "$out/$network.safetensors"
    dataset=cifar10
    [ "$network" != mlp ] || dataset=mnist
    for readout in $readouts; do
        images=2
        [ "$readout" != sa ] || images=10
        [ "$network" != mlp ] || images=20
        for inputs in $sizes; do
            name="$network-$readout-$inputs"
            printf 'readout = "%s"\n[array]\ninputs = %s\n[digital]\ninputs_at_once = 32\n' "$readout" "$inputs" \
                >"$out/$name.toml"
            echo "== $network, $readout, $inputs inputs an array"
            "$hafnia" generate "$out/$network.safetensors" --hardware "$out/$name.toml" -o "$out/$name"
            "$hafnia" verify "$out/$name" --dataset "$dataset" --images "${IMAGES:-$images}" --stalled 1 --resets 1 ||
                status=1
        done
    done
done
exit $status
