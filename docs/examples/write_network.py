"""Writes hafnia networks from NumPy arrays. Copy this function: it needs nothing else of hafnia."""

import json
import struct

import numpy as np

TYPES = {"uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "float32": "F32", "float64": "F64"}


def write_network(path, topology, tensors):
    """`topology` as docs/network-format.md has it; `tensors` maps the names that it uses to arrays."""
    header, data = {"__metadata__": {"hafnia": json.dumps(topology)}}, b""
    for name, array in tensors.items():
        array = np.asarray(array)
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": TYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
