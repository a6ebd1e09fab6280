"""Converts BNN-PYNQ's LFC (MNIST) or CNV (CIFAR-10), given as plain arrays, into a hafnia network.

    python3 bnn_pynq_to_hafnia.py lfc_w1a1_mnist.npz lfc.safetensors
    python3 bnn_pynq_to_hafnia.py cnv_w1a1_cifar10.npz cnv.safetensors

The arrays: w0, w1, ..., -1 or +1, [neurons, inputs] or [neurons, channels, rows, columns]; t0, t1, ..., integer thresholds.
A hidden neuron gives +1 where popcount >= t, the popcount being the number of inputs that agree with their weights. Over
n inputs the sum that hafnia works with is s = 2 popcount - n, so the same neuron gives +1 where s >= 2 t - n.

LFC is 784-1024-1024-1024-10 on pixels of -1 and +1. A class's score is popcount - t3 = s / 2 + (n / 2 - t3), exact in f64.

CNV is six 3 x 3 convolutions without padding, with a 2 x 2 pool after the outputs of the second and the fourth, and three
dense layers. Its first layer takes 8-bit integers, `input_lut` of each pixel, and its t0 is a threshold on s itself. A
class's score is its popcount, s / 2 + n / 2.
"""

import sys

import numpy as np

from write_network import write_network


def convert(arrays):
    convolutional = arrays["w0"].ndim == 4
    last = max(int(key[1:]) for key in arrays if key[0] == "w" and key[1:].isdigit())
    pools = set(arrays["pool_after"].tolist()) if convolutional else set()
    layers, tensors = [], {}
    for k in range(last + 1):
        weights = arrays[f"w{k}"]
        n = weights[0].size
        conv = weights.ndim == 4
        name = f"conv{k}" if conv else f"fc{k}" if convolutional else f"fc{k + 1}"
        tensors[f"{name}.weight"] = weights.astype(np.int8)
        layer = {
            "name": name,
            "op": {"conv": {"kernel": list(weights.shape[2:])}} if conv else "dense",
            "weights": {"tensor": f"{name}.weight", "kind": "bipolar"},
        }
        if k < last:
            t = arrays[f"t{k}"].astype(np.int64)
            tensors[f"{name}.threshold"] = t if convolutional and k == 0 else 2 * t - n
            layer["activation"] = {"bipolar": {"threshold": f"{name}.threshold"}}
        else:
            t = 0 if convolutional else arrays[f"t{k}"].astype(np.int64)
            tensors[f"{name}.shift"] = np.broadcast_to(n / 2 - t, weights.shape[:1]).astype(np.float64)
            layer["normalize"] = {"affine": {"gain": 0.5, "shift": f"{name}.shift"}}
            layer["activation"] = {"scores": {}}
        if k in pools:
            layer["pool"] = {"size": [2, 2], "order": "after_activation"}
        layers.append(layer)
    if convolutional:
        image = {"shape": [3, 32, 32], "code": "u8", "values": {"table": arrays["input_lut"].tolist()}}
    else:
        # pixel >= 128 is +1, else -1
        image = {"shape": [784], "code": "u8", "values": {"threshold": 128}}
    name = "cnv" if convolutional else "lfc"
    return {"format": 1, "name": name, "input": image, "layers": layers}, tensors


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_network(sys.argv[2], *convert(np.load(sys.argv[1])))
