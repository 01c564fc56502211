"""Models by name: what each needs to be used rightly, and which can be fetched."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from engine import typed
from engine.language import mark, tr

RESIZES = ("squash", "crop", "crop-floor", "longest")
RESAMPLES = ("bicubic", "bilinear")
POOLINGS = ("none", "mean", "max", "gem", "rmac", "cls")
EUCLIDEAN, COSINE = "euclidean", "cosine"
METRICS = (EUCLIDEAN, COSINE)
OBJECT, KIND = "object", "kind"  # what a model is good at finding: the same, or the same kind
KERAS_VGG = "keras-vgg16"
WHITENED = "-pca"  # ends the name of vectors that were whitened, before their dimensions
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MOST_LETTERS = 40

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# What numbers a network was trained with, by name: divisor, mean, std of `Model`.
VALUES: dict[str, tuple[float, tuple[float, float, float], tuple[float, float, float]]] = {
    "imagenet": (255.0, IMAGENET_MEAN, IMAGENET_STD),
    "signed": (127.5, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
    "unsigned": (255.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "bytes": (1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "caffe": (1.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
}


def is_name(text: str) -> bool:
    """Tell whether a text could be the name of a model or of its vectors."""
    return len(text) <= MOST_LETTERS and _NAME.fullmatch(text) is not None


def check_name(name: str) -> str:
    """Return `name` if a model can be called so, else raise a ValueError."""
    if not is_name(name):
        raise ValueError(
            tr(
                "{name!r} cannot be the name of a model: use small letters, digits and single '-' "
                "between them, at most {most}",
                name=name,
                most=MOST_LETTERS,
            )
        )
    if re.search(rf"{WHITENED}\d+$", name):
        raise ValueError(
            tr(
                "{name!r} cannot be the name of a model: what ends in {ending} and a number is "
                "called so for vectors that were whitened. Choose another",
                name=name,
                ending=WHITENED,
            )
        )
    return name


def unwhitened(name: str) -> str:
    """Return the name of the model of which vectors of this name are."""
    return re.sub(rf"{WHITENED}\d+$", "", name)


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """What is to be known of a model besides its weights.

    Attributes
    ----------
    name : str
        Small letters, digits and '-', at most 40: what commands call it.
    title : str
        What it is, in a few words; `tr` knows those of DECLARED, as it knows their `source`.
    good_at : str
        OBJECT if it finds the same object, KIND if pictures of the same kind.
    input : str
        Name of the graph's input.
    layout : str
        "nchw" or "nhwc": the order of the input's axes.
    height, width : int
        Pixels of the input.
    resize : str
        "squash": to exactly this size, as it comes; "crop": the shorter side to `shorter`, then the
        middle (torchvision's rounding); "crop-floor": the same with transformers' rounding;
        "longest": the longer side to the larger of height and width, the proportions kept.
    shorter : int
        Of the two crops; 0 else.
    resample : str
        "bicubic" or "bilinear", as Pillow does it: smoothed when it shrinks. Pictures with a
        palette are resized by the nearest pixel under "squash", as Pillow does that too.
    channels : str
        "rgb" or "bgr".
    divisor, mean, std : float, three floats, three floats
        A channel's value is (v / divisor - mean) / std, in this order and in float32; mean and
        std in the order of `channels`.
    output : str
        Name of the graph's output that is taken.
    pooling : str
        "none": a vector, as it is; of maps "mean", "max", "gem" or "rmac"; of tokens "cls" or
        "mean".
    power : float
        Of "gem".
    metric : str
        "euclidean" or "cosine" between vectors of unit length: one order, two ways to say it.
    licence, source : str
        Of the weights: the licence's name, and where they come from.
    tried : bool
        Whether the true weights have run with this record; of a model of one's own, that they ran.
    """

    name: str
    title: str
    good_at: str = KIND
    input: str = "input"
    layout: str = "nchw"
    height: int = 224
    width: int = 224
    resize: str = "squash"
    shorter: int = 0
    resample: str = "bicubic"
    channels: str = "rgb"
    divisor: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: str = "output"
    pooling: str = "none"
    power: float = 3.0
    metric: str = "cosine"
    licence: str = ""
    source: str = ""
    tried: bool = False

    def __post_init__(self) -> None:
        check_name(self.name)
        for field, allowed in (
            ("good_at", (OBJECT, KIND)),
            ("layout", ("nchw", "nhwc")),
            ("resize", RESIZES),
            ("resample", RESAMPLES),
            ("channels", ("rgb", "bgr")),
            ("pooling", POOLINGS),
            ("metric", METRICS),
        ):
            if getattr(self, field) not in allowed:
                raise ValueError(
                    tr(
                        "{field} must be one of {allowed}, got {got!r}",
                        field=field,
                        allowed=", ".join(allowed),
                        got=getattr(self, field),
                    )
                )
        if not (8 <= self.height <= 4096 and 8 <= self.width <= 4096):
            raise ValueError(
                tr(
                    "height and width must be 8 to 4096, got {height}, {width}",
                    height=self.height,
                    width=self.width,
                )
            )
        if self.resize.startswith("crop") and self.shorter < max(self.height, self.width):
            raise ValueError(
                tr("shorter must be at least the size that is cut, got {got}", got=self.shorter)
            )
        if self.divisor <= 0 or min(self.std) <= 0 or not 0 < self.power < 100:
            raise ValueError(tr("divisor and std must be above 0, power above 0 and below 100"))

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return {**dataclasses.asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Model":
        """Read what `to_json` gave; a ValueError or TypeError if it is none."""
        values = {**told, "mean": tuple(told["mean"]), "std": tuple(told["std"])}
        typed.check(cls, values)
        return cls(**values)


@dataclasses.dataclass(frozen=True, slots=True)
class Download:
    """Where the weights of a declared model are to be had.

    Attributes
    ----------
    urls : tuple of str
        Addresses of one and the same file, the first one preferred.
    md5 : str
        As published; empty if none is.
    n_bytes : int
        Length of the file; 0 if unknown.
    kind : str
        "onnx", or KERAS_VGG: a Keras file of VGG-16, which is converted.
    """

    urls: tuple[str, ...]
    md5: str = ""
    n_bytes: int = 0
    kind: str = "onnx"

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.urls[0].rpartition("/")[2]


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """A model that can be fetched by name."""

    model: Model
    download: Download


_KERAS = "keras-applications/vgg16/"
_GOOGLE = f"https://storage.googleapis.com/tensorflow/{_KERAS}"
_CHOLLET = "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
_VGG_TOP = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
_VGG_NOTOP = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
_VGG = Model(
    name="vgg16-fc1",
    title=mark("VGG-16, first fully connected layer: the original's features"),
    channels="bgr",
    mean=(103.939, 116.779, 123.68),
    output="fc1",
    metric="euclidean",
    licence="CC BY 4.0",
    source=mark("Simonyan, Zisserman, 2014 (ImageNet), as converted for Keras"),
)
_VGG_CONVOLUTIONS = Download(
    (_GOOGLE + _VGG_NOTOP, _CHOLLET + _VGG_NOTOP),
    "6d6bbae143d832006294945121d1f1fc",
    58_889_256,
    KERAS_VGG,
)
DECLARED: dict[str, Declared] = {
    one.model.name: one
    for one in (
        Declared(
            _VGG,
            Download(
                (_GOOGLE + _VGG_TOP, _CHOLLET + _VGG_TOP),
                "64373286793e3c8b2b4e3219cbf3544b",
                553_467_096,
                KERAS_VGG,
            ),
        ),
        Declared(
            dataclasses.replace(
                _VGG,
                name="vgg16-gem",
                title=mark("VGG-16, last convolutions, generalised mean of each map"),
                good_at=OBJECT,
                height=512,
                width=512,
                resize="longest",
                output="block5_conv3",
                pooling="gem",
                metric="cosine",
            ),
            _VGG_CONVOLUTIONS,
        ),
        Declared(
            dataclasses.replace(
                _VGG,
                name="vgg16-rmac",
                title=mark("VGG-16, last convolutions, sums over regions of their largest values"),
                good_at=OBJECT,
                height=512,
                width=512,
                resize="longest",
                output="block5_pool",
                pooling="rmac",
                metric="cosine",
            ),
            _VGG_CONVOLUTIONS,
        ),
        Declared(
            Model(
                name="dinov2-small",
                title=mark("DINOv2, small vision transformer learned without labels"),
                good_at=OBJECT,
                input="pixel_values",
                resize="crop-floor",
                shorter=256,
                divisor=255.0,
                mean=IMAGENET_MEAN,
                std=IMAGENET_STD,
                output="last_hidden_state",
                pooling="cls",
                licence="Apache-2.0",
                source=mark("Oquab et al., 2023 (facebook/dinov2-small), as ONNX by Xenova"),
            ),
            Download(("https://huggingface.co/Xenova/dinov2-small/resolve/main/onnx/model.onnx",)),
        ),
    )
}
