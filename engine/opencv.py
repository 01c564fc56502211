"""The one place that imports OpenCV."""

import importlib
from types import ModuleType

from engine.errors import EngineError
from engine.language import tr


def load() -> ModuleType:
    """Import OpenCV, or say in plain words which system library it misses.

    Returns
    -------
    module
        cv2.

    Raises
    ------
    EngineError
        If the package is absent or a shared library that it needs is.
    """
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        if "lib" in str(error) and ".so" in str(error):
            raise EngineError(
                tr(
                    "OpenCV is installed but cannot start: {error}. On Debian or Ubuntu run "
                    "{command!r}, elsewhere install the package that holds this library, then "
                    "start again.",
                    error=error,
                    command="apt-get install libgl1 libglib2.0-0",
                )
            ) from error
        raise EngineError(
            tr(
                "OpenCV is not installed ({error}). Run {command!r}.",
                error=error,
                command="pip install -r requirements.txt",
            )
        ) from error
