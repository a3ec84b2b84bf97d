"""One HTML document that needs nothing else: no network, no script, and a policy that forbids both."""

from __future__ import annotations

import base64
import hashlib
import html
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["document"]

_FOLDERS = {"pictures": "penchant.evaluation.pictures", "datareport": "penchant.evaluation.datareport"}
_FOLDERS["reportpage"] = "penchant.evaluation.reportpage"


@cache
def _source(name: str) -> str:
    folder, _, file = name.partition("/")
    return files(_FOLDERS[folder]).joinpath(file).read_text(encoding="utf-8")


def document(body: str, name: str, style: str = "", **parts: Any) -> str:
    """Return the document that a template makes of its parts, in the look that all reports share.

    >>> page = document("datareport/page.html.j2", "A & B", source="", lead="", verdicts=(), sections=(), pictures={},
    ...     version="")
    >>> "<title>A &amp; B</title>" in page, "unsafe-inline" in page
    (True, False)

    Args:
        body: the template of what stands in the body: folder and file.
        name: the title of the document.
        style: rules beside those that all reports have.
        parts: what the template asks for.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    rules = f"\n{environment.get_template('pictures/base.css.j2').render()}{style}\n"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{_digest(rules)}'\">\n"
        f"<title>{html.escape(name)}</title>\n<style>{rules}</style>\n</head>\n<body>\n"
        f"{environment.get_template(body).render(**parts)}\n</body>\n</html>\n"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
