"""The report as a page."""

from __future__ import annotations

from collections.abc import Sequence

from penchant.evaluation.datareport.charts import pictures
from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.findings import Finding
from penchant.evaluation.datareport.sections import lead, sections, verdicts
from penchant.evaluation.pictures.document import document
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
    return document(
        "datareport/page.html.j2",
        f"Data report: {facts.source}",
        source=facts.source,
        lead=lead(facts),
        verdicts=verdicts(findings),
        sections=sections(facts),
        pictures=pictures(facts),
        version=__version__,
    )
