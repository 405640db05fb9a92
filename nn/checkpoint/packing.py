"""Convert a tree of states to JSON text and arrays, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.support.arrays import Array


def packed(x: Any, name: str, arrays: dict[str, Array]) -> Any:
    """The tree in a form that JSON can hold. Its arrays are moved to `arrays`, and their names take their places."""
    if isinstance(x, Mapping):
        keys = {key if isinstance(key, str) else json.dumps(key) for key in x}
        if "__array__" in keys or len(keys) < len(x):
            raise ValueError(f"a checkpoint cannot tell the keys {list(x)!r:.200} apart: rename those that look alike")
        return {key: packed(value, f"{name}/{key}".lstrip("/"), arrays) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [packed(value, f"{name}/{i}", arrays) for i, value in enumerate(x)]
    if isinstance(x, np.ndarray):
        name = name.removeprefix("parts/")
        name = name if name not in arrays else f"{name} {len(arrays)}"
        arrays[name] = x
        return {"__array__": name}
    return x.item() if isinstance(x, np.generic) else x


def unpacked(text: bytes, arrays: Mapping[str, Array]) -> Any:
    """The tree of a JSON text and the arrays by name."""
    return json.loads(text, object_hook=lambda x: arrays[x["__array__"]] if x.keys() == {"__array__"} else x)


def same(a: Any, b: Any) -> bool:
    """True if two trees from JSON are equal. A nan equals a nan."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))
