"""Write the index of the present format that later versions must read, or refuse by its number.

From the project's folder: python -m tests.golden.make_index
Its three pictures are painted here: discs in all sizes; the second is the first on its side.
"""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from engine import aggregate, artifacts, build, graph, index
from engine.codebook import CodebookParams

PLACE = Path(__file__).parent / f"index_v{artifacts.FORMAT_VERSION}"


def discs(seed: int) -> np.ndarray:
    """Paint a picture of 160 x 120 pixels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :160]
    painted = np.full((120, 160), 128.0)
    for _ in range(40):
        centre_x, centre_y, radius = random.uniform((0, 0, 2), (160, 120, 14))
        painted[np.hypot(x - centre_x, y - centre_y) < radius] = random.uniform(0, 255)
    return painted.astype(np.uint8)


def main() -> None:
    """Build it, and move it here."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["VISWORD_ARTIFACTS"] = place
        pictures = Path(place) / "pictures"
        pictures.mkdir()
        for name, pixels in (("a", discs(1)), ("b", np.rot90(discs(1))), ("c", discs(2))):
            Image.fromarray(pixels).save(pictures / f"{name}.png")
        params = build.BuildParams(codebook=CodebookParams(n_words=8, n_samples=1000))
        build.build(pictures, "golden", params, n_workers=1)
        graph.make_graph("golden")
        aggregate.make_residuals("golden")
        folder = index.index_folder("golden")
        manifest = artifacts.read_manifest(folder, "index", "")
        manifest["parts"]["images"]["parameters"]["folder"] = "/pictures"
        told = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
        artifacts.write_manifest(folder, "index", told)
        shutil.rmtree(PLACE, ignore_errors=True)
        shutil.copytree(folder, PLACE)


if __name__ == "__main__":
    main()
