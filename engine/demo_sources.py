"""The photographs that the demo is made of: where they lie, who made them, what is allowed.

Read from the packages as installed; nothing is fetched. Licences are as the packages state them:
scikit-image in the docstrings of `skimage.data`, scikit-learn in ``datasets/images/README.txt``.
Photographs for which they state none (the motorcycle, the moon, the page) are not used.
"""

from dataclasses import dataclass

_CC_BY = "CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)"
_CC0 = "CC0 1.0, no rights reserved (https://creativecommons.org/publicdomain/zero/1.0/)"
_PUBLIC = "public domain"
_NONE_KNOWN = "no known copyright restrictions"


@dataclass(frozen=True, slots=True)
class Source:
    """One photograph.

    Attributes
    ----------
    name : str
        What the demo calls it; its file is NAME.jpg.
    path : str
        Below the package's folder.
    shows : str
        What can be seen.
    author, licence, origin : str
        As the package states them.
    package, distribution : str
        What to import and what to install.
    crop : (float, float, float, float)
        Left, top, right and bottom of the part that is used, as shares of the sides.
    views : bool
        Whether other views are made of it: those with very few keypoints only hang on walls.
    """

    name: str
    path: str
    shows: str
    author: str
    licence: str
    origin: str
    package: str = "skimage"
    distribution: str = "scikit-image"
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    views: bool = True


PHOTOGRAPHS = (
    Source(
        name="china",
        path="datasets/images/china.jpg",
        shows="a pagoda in Beijing",
        author="danielbuechele",
        licence=_CC_BY,
        origin="https://www.flickr.com/photos/danielbuechele/6061409035/",
        package="sklearn",
        distribution="scikit-learn",
    ),
    Source(
        name="flower",
        path="datasets/images/flower.jpg",
        shows="a dahlia",
        author="vultilion",
        licence=_CC_BY,
        origin="https://www.flickr.com/photos/vultilion/6056698931/",
        package="sklearn",
        distribution="scikit-learn",
    ),
    Source(
        name="astronaut",
        path="data/astronaut.png",
        shows="the astronaut Eileen Collins",
        author="NASA",
        licence=_PUBLIC,
        origin="https://flic.kr/p/r9qvLn",
    ),
    Source(
        name="camera",
        path="data/camera.png",
        shows="a man with a camera",
        author="Lav Varshney",
        licence=_CC0,
        origin="https://github.com/scikit-image/scikit-image/issues/3927",
    ),
    Source(
        name="cat",
        path="data/chelsea.png",
        shows="Chelsea the cat",
        author="Stefan van der Walt",
        licence=_CC0,
        origin="skimage.data.chelsea",
    ),
    Source(
        name="coffee",
        path="data/coffee.png",
        shows="a cup of coffee at Pikolo Espresso Bar",
        author="Rachel Michetti",
        licence=_CC0,
        origin="skimage.data.coffee",
    ),
    Source(
        name="coins",
        path="data/coins.png",
        shows="Greek coins from Pompeii",
        author="Brooklyn Museum",
        licence=_NONE_KNOWN,
        origin="https://www.brooklynmuseum.org/opencollection/archives/image/51611",
    ),
    Source(
        name="retina",
        path="data/retina.jpg",
        shows="the back of a healthy eye",
        author="Mikael Häggström",
        licence=_CC0,
        origin="https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
        views=False,
    ),
    Source(
        name="rocket",
        path="data/rocket.jpg",
        shows="a Falcon 9 before its launch",
        author="SpaceX",
        licence=_PUBLIC,
        origin="https://www.flickr.com/photos/spacexphotos/16511594820/",
    ),
    Source(
        name="tissue",
        path="data/ihc.png",
        shows="stained tissue under a microscope",
        author="Center for Microscopy and Molecular Imaging (CMMI)",
        licence=_NONE_KNOWN,
        origin="skimage.data.immunohistochemistry",
    ),
    Source(
        name="writing",
        path="data/text.png",
        shows="writing on paper",
        author="not stated",
        licence=_PUBLIC,
        origin="https://en.wikipedia.org/wiki/File:Corner.png",
    ),
    Source(
        name="horse",
        path="data/horse.png",
        shows="the outline of a horse",
        author="Andreas Preuss (marauder)",
        licence=_CC0,
        origin="http://openclipart.org/detail/158377/horse-by-marauder",
    ),
)

TEXTURES = (
    Source(
        name="brick",
        path="data/brick.png",
        shows="a brick wall",
        author="CC0Textures",
        licence=_CC0,
        origin="https://cc0textures.com/view.php?tex=Bricks25",
    ),
    Source(
        name="gravel",
        path="data/gravel.png",
        shows="gravel",
        author="CC0Textures",
        licence=_CC0,
        origin="https://cc0textures.com/view.php?tex=Gravel04",
    ),
    Source(
        name="grass",
        path="data/grass.png",
        shows="grass",
        author="linolafett",
        licence=_CC0,
        origin="https://www.deviantart.com/linolafett/art/Grass-01-434853879",
    ),
)

HELD_OUT = Source(
    name="stars",
    path="data/hubble_deep_field.jpg",
    shows="a part of the Hubble eXtreme Deep Field; only the query that finds nothing",
    author="NASA",
    licence=_PUBLIC,
    origin="http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/",
    crop=(0.25, 0.25, 0.85, 0.8),
)


def credits_page() -> str:
    """Return SOURCES.md: every photograph with its author, licence and origin."""
    lines = [
        "# Sources of the demo's pictures",
        "",
        "Every picture here was made by code from these photographs: resized, cropped, turned,",
        "seen in perspective, relit, covered in part, or hung on walls. They were read from the",
        "installed packages scikit-image and scikit-learn, which state the licences as given.",
        "",
        "| file | shows | author | licence | origin | package |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {source.name} | {source.shows} | {source.author} | {source.licence} | {source.origin} "
        f"| {source.distribution}, {source.path} |"
        for source in (*PHOTOGRAPHS, *TEXTURES, HELD_OUT)
    ]
    return "\n".join(lines) + "\n"
