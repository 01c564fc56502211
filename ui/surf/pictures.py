"""What the page Step by step fetches: pictures as the engine sees them, and keypoints."""

import re

from engine import draw, images
from engine.index import Index
from engine.language import tr
from ui.surf import bench
from ui.surf.view import View

PNG = "image/png"


def make(shown: Index, here: View, what: str) -> tuple[bytes, str]:
    """Return a picture of a view and its kind.

    Parameters
    ----------
    shown : Index
        The collection.
    here : View
        Names the query, and the parameters.
    what : str
        "picture" that is worked on, "compared" the same smaller, "integral", "points" (keypoints
        as `ui.surf.bench.pack` lays them), "variant", "other", or "response-OCTAVE-LAYER".

    Returns
    -------
    bytes, str
        The data and its media type.

    Raises
    ------
    ImageError
        If the picture is gone or cannot be read.
    ValueError
        If there is no such thing.
    """
    side = bench.COMPARED if what in ("compared", "variant") else bench.SIDE
    if what == "other":
        if here.other is None:
            raise ValueError(tr("there is no such picture"))
        return images.encode_png(bench.of(shown, here.link.to(image_id=here.other)).gray), PNG
    on = bench.of(shown, here.link, side)
    if what in ("picture", "compared"):
        return images.encode_png(on.gray), PNG
    if what == "variant":
        # The page has asked for its keypoints: it is there already.
        found = bench.varied(on, here.params(shown), here.variation)
        return images.encode_png(found.variant.gray), PNG
    made = bench.prepared(on, here.params(shown))
    if what == "integral":
        return images.encode_png(draw.integral(made.integral)[1:, 1:]), PNG
    if what == "points":
        return bench.pack(made.features), "application/octet-stream"
    named = re.fullmatch(r"response-(\d{1,2})-(\d{1,2})", what)
    if named is None:
        raise ValueError(tr("there is no such drawing"))
    octave, layer = int(named[1]), int(named[2])
    if octave >= len(made.octaves) or layer >= len(made.octaves[octave].layers):
        raise ValueError(tr("there is no such layer"))
    of = made.octaves[octave].layers[layer].determinants
    drawn = draw.responses(of, made.params.hessian_threshold)
    return images.encode_png(drawn, draw.response_palette()), PNG
