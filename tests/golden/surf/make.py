"""Write the golden files of this folder, with the slow twin of the engine."""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

import naive_surf  # noqa: E402

CASES = {
    "blobs": {},
    "blobs_upright_64": {"extended": False, "upright": True},
    "noise_two_layers": {"threshold": 100.0, "n_octaves": 3, "n_layers": 2},
    "blobs_masked": {"threshold": 100.0, "masked": True},
}


def make_blobs() -> np.ndarray:
    """Bright and dark discs, bars and a ramp, 112 x 96."""
    y, x = np.mgrid[:96, :112].astype(float)
    gray = 110 + 0.3 * x - 0.2 * y
    for cx, cy, radius, value in (
        (25, 30, 4, 90),
        (60, 28, 6, -70),
        (88, 60, 8, 60),
        (34, 66, 5, -90),
        (62, 62, 3, 80),
    ):
        gray += value * np.exp(-((x - cx) ** 2 + 1.7 * (y - cy) ** 2) / (2 * radius**2))
    gray[44:47, 20:90] -= 40
    gray[50:90, 72:74] += 50
    return np.clip(np.rint(gray), 0, 255).astype(np.uint8)


def main() -> None:
    """Write every case."""
    for name, settings in CASES.items():
        settings = dict(settings)
        gray = make_blobs()
        if name.startswith("noise"):
            gray = np.random.default_rng(7).integers(0, 256, (64, 80)).astype(np.uint8)
        mask = None
        if settings.pop("masked", False):
            mask = np.zeros(gray.shape, np.uint8)
            mask[10:80, 5:64] = 1
        rows, descriptors = naive_surf.extract(gray, mask=mask, **settings)
        arrays = {"gray": gray, "rows": rows.astype(np.float32), "descriptors": descriptors}
        if mask is not None:
            arrays["mask"] = mask
        np.savez_compressed(HERE / f"{name}.npz", **arrays)
        print(f"{name}: {len(rows)} keypoints")


if __name__ == "__main__":
    main()
