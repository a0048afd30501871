"""Tensors in the format of safetensors, written as they lie in memory: the library's writer copies them twice.

A header of 8 bytes with the length of what follows, JSON with type, shape and bounds of each tensor, padded with spaces
to 8 bytes, and the tensors' bytes, those of the widest types first.

References:
    https://huggingface.co/docs/safetensors, format
"""

import json
from typing import BinaryIO

import torch
from torch import Tensor

ALIGNMENT = 8
# names of the format, in the library's order
TYPES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.float8_e5m2: "F8_E5M2",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.int16: "I16",
    torch.uint16: "U16",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int32: "I32",
    torch.uint32: "U32",
    torch.float32: "F32",
    torch.complex64: "C64",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.uint64: "U64",
}
_ORDER = {dtype: place for place, dtype in enumerate(TYPES)}


def write(file: BinaryIO, tensors: dict[str, Tensor]) -> None:
    """Write tensors.

    Args:
        file: Written from its beginning, in order.
        tensors: By name, on the CPU, dense, of `TYPES`.
    """
    names = sorted(tensors, key=lambda name: (-_ORDER[tensors[name].dtype], name))
    bounds, end = {}, 0
    for name in names:
        start, end = end, end + tensors[name].nbytes
        bounds[name] = {
            "dtype": TYPES[tensors[name].dtype],
            "shape": list(tensors[name].shape),
            "data_offsets": [start, end],
        }
    header = json.dumps(bounds, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % ALIGNMENT)
    file.write(len(header).to_bytes(8, "little") + header)
    for name in names:
        file.write(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
