#!/bin/sh
# Both third-party MNIST networks on every readout and array size, and on hardware that folds: all 10,000 test images.
# Usage: HAFNIA_DATA=DIR scripts/mnist-matrix.sh [OUT [tfc|lfc]]   (HAFNIA=path of the program, IMAGES=number,
#        HARDWARE="names" for some only)
set -eu
cd "$(dirname "$0")/.."
: "${HAFNIA_DATA:?set it to the folder that holds mnist/, qonnx/ and bnn-pynq/}"
out=${1:-build/matrix}
which=${2:-tfc lfc}
hafnia=${HAFNIA:-target/release/hafnia}
images=${IMAGES:-10000}
mkdir -p "$out"
[ -s "$out/tfc.safetensors" ] || "$hafnia" import "$HAFNIA_DATA/qonnx/TFC_1W1A.onnx" -o "$out/tfc.safetensors"
[ -s "$out/lfc.safetensors" ] ||
    python3 docs/examples/bnn_pynq_to_hafnia.py "$HAFNIA_DATA/bnn-pynq/lfc_w1a1_mnist.npz" "$out/lfc.safetensors"
hardware() { # name, text
    printf '%b' "$2" >"$out/$1.toml"
}
for readout in pcsa sa; do
    for inputs in 128 256 512; do
        hardware "$readout-$inputs" "readout = \"$readout\"\n[array]\ninputs = $inputs\n"
    done
    # TFC has few arrays, LFC has 192: what is sensed at once is folded to match.
    hardware "tfc-$readout-folded" \
        "readout = \"$readout\"\n[array]\noutputs = 32\n[fold]\nsensed_at_once = 3\ncolumns_per_amplifier = 4\n"
    hardware "lfc-$readout-folded" "readout = \"$readout\"\n[fold]\nsensed_at_once = 24\ncolumns_per_amplifier = 2\n"
done
status=0
for network in $which; do
    for hardware in ${HARDWARE:-sa-128 pcsa-128 sa-256 pcsa-256 sa-512 pcsa-512 $network-sa-folded $network-pcsa-folded}; do
        build="$out/$network-on-$hardware"
        "$hafnia" generate "$out/$network.safetensors" --hardware "$out/$hardware.toml" -o "$build" >/dev/null
        echo "== $network on $hardware"
        "$hafnia" verify "$build" --dataset mnist --images "$images" || status=1
    done
done
exit $status
