"""A function named on the command line: ``package.module:function``."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from thetahat.errors import UsageError

__all__ = ["import_function"]


def import_function(asked: str) -> Any:
    """Return the object that ``"package.module:function"`` names.

    A module beside the reader's table is found too: the current directory joins the end of the module path.

    Raises
    ------
    UsageError
        There is no such module, importing it fails, or it has no such name.
    """
    module, _, name = asked.partition(":")
    if not module or not name:
        raise UsageError(f"metric: {asked!r} is no function; type package.module:function")
    if os.getcwd() not in sys.path:
        # It stays there: processes that take part in the work import the same module by its name.
        sys.path.append(os.getcwd())
    try:
        imported: Any = importlib.import_module(module)
    except Exception as error:
        raise UsageError(
            f"metric: {module} of {asked!r} cannot be imported ({type(error).__name__}: {error}); type "
            "package.module:function, or one of the measures' names"
        ) from error
    for part in name.split("."):
        if not hasattr(imported, part):
            raise UsageError(
                f"metric: {module} has no {name}; name a function of it, as in {module}:function"
            )
        imported = getattr(imported, part)
    return imported
