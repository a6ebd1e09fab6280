#!/bin/sh
# The trained networks that ship, each through RTL on the arrays it is meant for: real test images, every layer compared.
# Usage: HAFNIA_DATA=DIR scripts/networks-matrix.sh [OUT ["NETWORK ..."]]
#        HAFNIA=path of the program; IMAGES=a divisor of 10000 (default: 10000 on sa arrays, 20 or 200 on pcsa arrays); they are spread over the test set
set -eu
cd "$(dirname "$0")/.."
: "${HAFNIA_DATA:?set it to the folder that holds mnist/ and cifar10/}"
out=${1:-build/networks}
hafnia=${HAFNIA:-target/release/hafnia}
mkdir -p "$out"
status=0
row() { # network, readout, inputs of an array, images
    case " ${networks:-$1} " in *" $1 "*) ;; *) return 0 ;; esac
    name="$1-$2-$3"
    printf 'readout = "%s"\n[array]\ninputs = %s\n[digital]\ninputs_at_once = 27\n' "$2" "$3" >"$out/$name.toml"
    echo "== $1, $2, $3 inputs an array"
    "$hafnia" generate "networks/$1.safetensors" --hardware "$out/$name.toml" -o "$out/$name"
    images=${IMAGES:-$4}
    "$hafnia" verify "$out/$name" --dataset "${1%%_*}" --images "$images" --every $((10000 / images)) --stalled 1 --resets 1 ||
        status=1
}
networks=${2:-}
# Trained whole: pcsa arrays lose nothing, sa arrays what the mapping of the thresholds loses.
for inputs in 512 256 128; do row mnist_mlp sa "$inputs" 10000; done
row mnist_mlp pcsa 128 20
row cifar10_cnn pcsa 128 20
for vgg in ternary_8 binary_8 ternary_16; do row "cifar10_vgg_$vgg" pcsa 128 200; done
# Trained as split networks: sa arrays of that size lose nothing.
row mnist_mlp_512 sa 512 10000
for inputs in 128 64 32; do row "cifar10_cnn_$inputs" sa "$inputs" 10000; done
exit $status
