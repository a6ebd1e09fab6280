"""Converts BNN-PYNQ's LFC (784-1024-1024-1024-10, MNIST), given as plain arrays, into a hafnia network.

    python3 bnn_pynq_to_hafnia.py lfc_w1a1_mnist.npz lfc.safetensors

The arrays: w0..w3, -1 or +1, [neurons, inputs]; t0..t3, integer thresholds on the popcount, the number of inputs
that agree with their weights. A hidden neuron gives +1 where popcount >= t. Over n inputs the sum that hafnia works
with is s = 2 popcount - n, so the same neuron gives +1 where s >= 2 t - n. The score of a class is
popcount - t3 = s / 2 + (n / 2 - t3), exact in f64.
"""

import sys

import numpy as np

from write_network import write_network


def convert(arrays):
    layers, tensors = [], {}
    for k in range(4):
        weights, t = arrays[f"w{k}"], arrays[f"t{k}"].astype(np.int64)
        n = weights.shape[1]
        name = f"fc{k + 1}"
        tensors[f"{name}.weight"] = weights.astype(np.int8)
        layer = {"name": name, "op": "dense", "weights": {"tensor": f"{name}.weight", "kind": "bipolar"}}
        if k < 3:
            tensors[f"{name}.threshold"] = 2 * t - n
            layer["activation"] = {"bipolar": {"threshold": f"{name}.threshold"}}
        else:
            tensors[f"{name}.shift"] = n / 2 - t
            layer["normalize"] = {"affine": {"gain": 0.5, "shift": f"{name}.shift"}}
            layer["activation"] = {"scores": {}}
        layers.append(layer)
    # pixel >= 128 is +1, else -1
    image = {"shape": [784], "code": "u8", "values": {"threshold": 128}}
    return {"format": 1, "name": "lfc", "input": image, "layers": layers}, tensors


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_network(sys.argv[2], *convert(np.load(sys.argv[1])))
