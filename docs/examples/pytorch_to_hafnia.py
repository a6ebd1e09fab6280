"""Converts the state dict of a binary PyTorch MLP into a hafnia network.

    python3 pytorch_to_hafnia.py model.pt model.safetensors      torch.save(model.state_dict(), "model.pt")
    python3 pytorch_to_hafnia.py model.npz model.safetensors     the same arrays from np.savez

Expects Linear, BatchNorm1d, sign, ..., Linear and perhaps a last BatchNorm1d, in this order, as a network of
28x28 images x = pixel / 255 that was trained on 2 x - 1. Change `convert` where yours differs.
"""

import sys

import numpy as np

from write_network import write_network


def convert(state, name="mlp", inputs=784, epsilon=1e-5):
    layers, tensors = [], {}
    for key, array in state.items():
        module, part = key.rpartition(".")[::2]
        if part == "weight" and array.ndim == 2:  # Linear: the sign of the latent weights, sign(0) = +1
            layer = {"name": f"fc{len(layers) + 1}", "op": "dense", "activation": {"bipolar": {}}}
            layer["weights"] = {"tensor": key, "kind": "bipolar"}
            tensors[key] = np.where(array >= 0, 1, -1).astype(np.int8)
            if f"{module}.bias" in state:
                layer["bias"] = f"{module}.bias"
                tensors[layer["bias"]] = state[layer["bias"]]
            layers.append(layer)
        elif part == "running_mean":  # BatchNorm1d of the Linear before it
            norm = {"mean": key, "variance": f"{module}.running_var"}
            norm |= {"gamma": f"{module}.weight", "beta": f"{module}.bias"}
            tensors |= {tensor: state[tensor] for tensor in norm.values()}
            layers[-1]["normalize"] = {"batch_norm": norm | {"epsilon": epsilon}}
    layers[-1]["activation"] = {"scores": {}}
    # Integers for 2 x - 1: a byte p stands for 2 p - 255, and the factor 1/255 goes into the first layer's scale.
    layers[0]["weights"]["scale"] = 1 / 255
    image = {"shape": [inputs], "code": "u8", "values": {"affine": [2, -255]}}
    return {"format": 1, "name": name, "input": image, "layers": layers}, tensors


def load(path):
    if path.endswith(".npz"):
        return dict(np.load(path))
    import torch

    return {key: tensor.numpy() for key, tensor in torch.load(path, map_location="cpu", weights_only=True).items()}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_network(sys.argv[2], *convert(load(sys.argv[1])))
