"""Writes the papers' networks at full size with random weights: what hardware computes does not depend on training.

    python3 papers_networks.py mlp mlp.safetensors
    python3 papers_networks.py cnn cnn.safetensors
    python3 papers_networks.py vgg vgg.safetensors [N]

mlp  784-2048-2048-2048-10, bipolar (input-splitting, table I)
cnn  128-128-pool-256-256-pool-512-512-pool-1024-1024-10 on 3 x 32 x 32, 3 x 3 kernels with zero padding, bipolar
     (input-splitting, table II)
vgg  N, N, pool, 2N, 2N, pool, 4N, 4N, pool, 512, 10 on 3 x 32 x 32, ternary weights and activations (ternary-pcsa, table 1);
     N = 128

Pools come before the batch norm, whose gains have both signs. Batch norms centre the sums, so that activations vary.
"""

import sys

import numpy as np

from write_network import write_network


class Writer:
    def __init__(self, ternary, seed=1):
        self.random = np.random.default_rng(seed)
        self.ternary = ternary
        self.layers, self.tensors = [], {}

    def add(self, name, shape, pool=False, last=False, spread=1.0):
        """A layer of weights `shape`: [neurons, inputs] or [neurons, channels, 3, 3]; `spread`: size of an input."""
        r, neurons = self.random, shape[0]
        kind = "ternary" if self.ternary else "bipolar"
        weights = r.integers(-1, 2, shape) if self.ternary else 2 * r.integers(0, 2, shape) - 1
        self.tensors[f"{name}.weight"] = weights.astype(np.int8)
        deviation = spread * np.sqrt(np.prod(shape[1:]) * (0.44 if self.ternary else 1.0))
        # A maximum of four sums lies about a deviation higher.
        mean = deviation * (r.normal(0, 0.3, neurons) + (1.0 if pool else 0.0))
        norms = {
            "gamma": r.choice([-1.0, 1.0], neurons) * r.uniform(0.5, 1.5, neurons),
            "beta": r.normal(0, 0.3, neurons),
            "mean": mean,
            "variance": np.full(neurons, deviation**2),
        }
        self.tensors |= {f"{name}.{k}": v.astype(np.float64) for k, v in norms.items()}
        layer = {
            "name": name,
            "op": {"conv": {"kernel": [3, 3], "pad": [1, 1, 1, 1]}} if len(shape) == 4 else "dense",
            "weights": {"tensor": f"{name}.weight", "kind": kind},
            "normalize": {"batch_norm": {k: f"{name}.{k}" for k in norms} | {"epsilon": 1e-5}},
            "activation": {"scores": {}} if last else {"dead_zone": {"delta": 0.05}} if self.ternary else {"bipolar": {}},
        }
        if pool:
            layer["pool"] = {"size": [2, 2], "order": "before_normalize"}
        self.layers.append(layer)


def mlp():
    w = Writer(ternary=False)
    sides = [784, 2048, 2048, 2048, 10]
    for k in range(4):
        w.add(f"fc{k + 1}", (sides[k + 1], sides[k]), last=k == 3)
    return {"shape": [784], "code": "u8", "values": {"threshold": 128}}, w


def convolutional(widths, dense, ternary):
    w = Writer(ternary)
    channels, side = 3, 32
    for k, width in enumerate(widths):
        pool = k % 2 == 1
        w.add(f"conv{k + 1}", (width, channels, 3, 3), pool=pool, spread=150.0 if k == 0 else 1.0)
        channels, side = width, side // 2 if pool else side
    inputs = channels * side * side
    for k, width in enumerate(dense):
        w.add(f"fc{k + 1}", (width, inputs), last=k + 1 == len(dense))
        inputs = width
    return {"shape": [3, 32, 32], "code": "u8", "values": {"affine": [2, -255]}}, w


def network(name, n):
    if name == "mlp":
        return mlp()
    if name == "cnn":
        return convolutional([128, 128, 256, 256, 512, 512], [1024, 1024, 10], ternary=False)
    if name == "vgg":
        return convolutional([n, n, 2 * n, 2 * n, 4 * n, 4 * n], [512, 10], ternary=True)
    sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    image, writer = network(sys.argv[1], int(sys.argv[3]) if len(sys.argv) == 4 else 128)
    topology = {"format": 1, "name": sys.argv[1], "input": image, "layers": writer.layers}
    write_network(sys.argv[2], topology, writer.tensors)
