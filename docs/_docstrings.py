"""Makes Markdown of docstrings for the reference: doctests become code blocks, references become code."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

__all__ = ["Docstrings", "markdown"]

_SESSION = re.compile(r"^( *)>>> .*\n(?:\1\S.*\n|\1 .*\n)*", re.MULTILINE)
_ROLE = re.compile(r":\w+:`~?([^`]+)`")


def markdown(text: str) -> str:
    """Return a docstring with its sessions fenced and its roles taken off."""
    fenced = _SESSION.sub(lambda found: f"{found[1]}```pycon\n{found[0]}{found[1]}```\n", text + "\n")
    return _ROLE.sub(r"`\1`", fenced).replace("\n::\n", "\n").rstrip("\n")


class Docstrings(Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)
