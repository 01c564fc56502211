"""What a caller may catch. Every message says what is wrong, where, and what to do.

A message is in the language that is spoken where the error is raised.
"""

from engine.language import mark, tr

# What the operating system says most; anything else stays as it says it.
_REASONS = (
    mark("No such file or directory"),
    mark("Permission denied"),
    mark("Is a directory"),
    mark("Not a directory"),
    mark("File name too long"),
    mark("No space left on device"),
    mark("Read-only file system"),
    mark("Input/output error"),
    mark("Too many open files"),
    mark("Disk quota exceeded"),
    mark("Connection refused"),
    mark("Connection reset by peer"),
    mark("Connection timed out"),
    mark("timed out"),
    mark("Network is unreachable"),
    mark("No route to host"),
    mark("Name or service not known"),
    mark("Temporary failure in name resolution"),
)


def reason(error: BaseException) -> str:
    """Say why a file could not be used: what the operating system says of it, else the error."""
    if isinstance(error, KeyError):
        return tr("{key} is missing in it", key=error)
    told = getattr(error, "strerror", None) or str(error)
    return tr(told) if told in _REASONS else told


class EngineError(Exception):
    """Anything that the engine refuses for a reason that a person can act on."""


class ImageError(EngineError):
    """A picture that cannot be read: the message names the file and its fault."""


class ArtifactError(EngineError):
    """An index, codebook or other stored file that is missing, damaged or of another version.

    Parameters
    ----------
    told : str
        The message.
    why : str
        The same without what cannot be opened, where someone else names that; else the message.
    """

    def __init__(self, told: str = "", why: str = "") -> None:
        super().__init__(told)
        self.why = why or told


class BuildError(EngineError):
    """An index or codebook that cannot be built from what was given."""


class CancelledError(EngineError):
    """A build that was told to stop; what it has done so far is kept for the next run."""


class ModelError(EngineError):
    """A model that is not installed, cannot be used, or is another than the one that is needed."""


class DownloadError(EngineError):
    """A file that could not be fetched or is not what it should be."""


class GroundTruthError(EngineError):
    """A ground-truth file that cannot be used: the message names its lines."""


class ConflictError(EngineError):
    """Something that someone else has changed since it was opened: nothing was written."""
