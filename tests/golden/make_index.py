"""Write the indexes of the present formats that later versions must read, or refuse by number.

From the project's folder: python -m tests.golden.make_index 2, and 3 for that of large vocabularies
Its three pictures are painted here: discs in all sizes; the second is the first on its side.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from engine import aggregate, artifacts, build, codebook, graph, index
from engine.codebook import CodebookParams

N_WORDS = {artifacts.FORMAT_VERSION: 8, artifacts.LARGE_VERSION: 24}


def discs(seed: int) -> np.ndarray:
    """Paint a picture of 160 x 120 pixels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :160]
    painted = np.full((120, 160), 128.0)
    for _ in range(40):
        centre_x, centre_y, radius = random.uniform((0, 0, 2), (160, 120, 14))
        painted[np.hypot(x - centre_x, y - centre_y) < radius] = random.uniform(0, 255)
    return painted.astype(np.uint8)


def main(version: int) -> None:
    """Build it, and move it here."""
    large = version == artifacts.LARGE_VERSION
    if large:
        codebook.LARGE = N_WORDS[version] - 1  # so few are many, for once
    with tempfile.TemporaryDirectory() as place:
        os.environ["VISWORD_ARTIFACTS"] = place
        pictures = Path(place) / "pictures"
        pictures.mkdir()
        for name, pixels in (("a", discs(1)), ("b", np.rot90(discs(1))), ("c", discs(2))):
            Image.fromarray(pixels).save(pictures / f"{name}.png")
        algorithm = "approximate" if large else "lloyd"
        words = CodebookParams(N_WORDS[version], algorithm, n_samples=1000)
        params = build.BuildParams(codebook=words)
        build.build(pictures, "golden", params, n_workers=1)
        graph.make_graph("golden")
        aggregate.make_residuals("golden")
        folder = index.index_folder("golden")
        manifest = artifacts.read_manifest(folder, "index", "")
        manifest["parts"]["images"]["parameters"]["folder"] = "/pictures"
        told = {k: v for k, v in manifest.items() if k not in ("kind", "format_version", "sha256")}
        artifacts.write_manifest(folder, "index", told, version)
        place_here = Path(__file__).parent / f"index_v{version}"
        shutil.rmtree(place_here, ignore_errors=True)
        shutil.copytree(folder, place_here)


if __name__ == "__main__":
    main(int(sys.argv[1]))
