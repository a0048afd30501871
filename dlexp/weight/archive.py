"""The weights in a .pt2 of torch.export, read as bytes: torch itself would run what such a file says."""

import json
import zipfile
from typing import Any

import torch
from torch import Tensor

LISTED = "data/weights/model_weights_config.json"
# by the numbers of torch.export's schema
TYPES = {4: torch.int32, 5: torch.int64, 6: torch.float16, 7: torch.float32, 8: torch.float64, 13: torch.bfloat16}


def read_archive(path: str) -> dict[str, Tensor]:
    """Return the tensors by name.

    Raises:
        ValueError: It is no such archive, or its weights are compressed, pickled or of another type.
        KeyError: Its list of weights lacks something.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            listed = next((name for name in archive.namelist() if name.endswith(LISTED)), None)
            if listed is None:
                raise ValueError("no list of weights in it")
            folder = listed.rpartition("/")[0]
            entries: dict[str, Any] = json.loads(_bytes(archive, listed))["config"]
            return {name: _tensor(entry, archive, folder) for name, entry in entries.items()}
    except (zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise ValueError(f"no archive of torch.export ({error})") from error


def _bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")
    return archive.read(name)


def _tensor(entry: dict[str, Any], archive: zipfile.ZipFile, folder: str) -> Tensor:
    about = entry["tensor_meta"]
    dtype = TYPES.get(about["dtype"])
    if entry["use_pickle"] or dtype is None:
        raise ValueError(f"{entry['path_name']} is pickled, or of type {about['dtype']}")
    sizes, strides = ([each["as_int"] for each in about[name]] for name in ("sizes", "strides"))
    flat = torch.frombuffer(bytearray(_bytes(archive, f"{folder}/{entry['path_name']}")), dtype=dtype)
    return flat.as_strided(sizes, strides, about["storage_offset"]["as_int"]).contiguous()
