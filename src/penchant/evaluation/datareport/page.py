"""The report as a page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from penchant.evaluation.datareport.charts import pictures
from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.findings import Finding
from penchant.evaluation.datareport.sections import lead, sections, verdicts
from penchant.version import __version__

__all__ = ["render"]


def render(facts: Facts, findings: Sequence[Finding]) -> str:
    """Return the page: one HTML document with its style and its charts inside.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> report = pt.data_report(checkerboard(8), source="a <board>")
    >>> "Data report: a &lt;board&gt;" in render(report, report.findings)
    True
    """
    from jinja2 import Environment, StrictUndefined

    source = files("penchant.evaluation.datareport").joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(
        source=facts.source,
        lead=lead(facts),
        verdicts=verdicts(findings),
        sections=sections(facts),
        pictures=pictures(facts),
        version=__version__,
    )
