"""A Keras file of VGG-16 with random weights, and an independent forward pass through it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS = [f"block{b}_conv{i}" for b, n in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, n + 1)]
SMALL_WIDTHS = (2, 3, 4, 5, 6)

Weights = Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]


def weights(
    widths: tuple[int, ...] = SMALL_WIDTHS, n_out: int = 8, top: bool = True, seed: int = 0
) -> Weights:
    """Random weights that keep the size of what passes through, in Keras's order."""
    random = np.random.default_rng(seed)
    made, n_in = {}, 3
    for name in LAYERS:
        n = widths[int(name[5]) - 1]
        scale = np.float32(np.sqrt(2 / (9 * n_in)))
        kernel = random.standard_normal((3, 3, n_in, n), np.float32) * scale
        made[name] = kernel, random.standard_normal(n, np.float32) * np.float32(0.1)
        n_in = n
    if top:
        rows = 49 * n_in
        kernel = random.standard_normal((rows, n_out), np.float32) * np.float32(np.sqrt(2 / rows))
        made["fc1"] = kernel, random.standard_normal(n_out, np.float32) * np.float32(0.1)
    return made


def write(path: Path, made: Weights, nested: bool = False) -> None:
    """Write as the file of 2016 is laid out; `nested` as later ones."""
    import h5py

    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if nested else file
        root.attrs["layer_names"] = [name.encode() for name in made]
        for name, (kernel, bias) in made.items():
            group = root.create_group(name)
            names = (
                (f"{name}/kernel:0", f"{name}/bias:0")
                if nested
                else (f"{name}_W_1:0", f"{name}_b_1:0")
            )
            group.attrs["weight_names"] = [one.encode() for one in names]
            for one, values in zip(names, (kernel, bias)):
                group.create_dataset(one, data=values)


def forward(made: Weights, given: NDArray[Any], to: str) -> NDArray[np.float64]:
    """Run one picture, (H, W, 3) in the network's own numbers, as Keras does: channels last."""
    maps: NDArray[np.float64] = given.astype(np.float64)
    for name in LAYERS:
        kernel, bias = made[name]
        height, width, _ = maps.shape
        padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
        total = np.zeros((height, width, kernel.shape[-1])) + bias
        for y in range(3):
            for x in range(3):
                total += padded[y : y + height, x : x + width] @ kernel[y, x].astype(np.float64)
        maps = np.maximum(total, 0)
        if name == to:
            return maps
        if name in ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"):
            rows, columns = maps.shape[0] // 2, maps.shape[1] // 2
            maps = maps[: 2 * rows, : 2 * columns]
            maps = maps.reshape(rows, 2, columns, 2, -1).max(axis=(1, 3))
            if to == f"block{name[5]}_pool":
                return maps
    kernel, bias = made["fc1"]
    return np.maximum(maps.reshape(-1) @ kernel.astype(np.float64) + bias, 0)
