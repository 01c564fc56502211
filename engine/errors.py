"""What a caller may catch. Every message says what is wrong, where, and what to do."""


class EngineError(Exception):
    """Anything that the engine refuses for a reason that a person can act on."""


class ImageError(EngineError):
    """A picture that cannot be read: the message names the file and its fault."""


class ArtifactError(EngineError):
    """An index, codebook or other stored file that is missing, damaged or of another version."""


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
