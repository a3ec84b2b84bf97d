"""The report as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.findings import Finding
from penchant.evaluation.datareport.sections import Section, lead, sections, verdicts

__all__ = ["told"]

_WIDTH = 118


def told(facts: Facts, findings: Sequence[Finding]) -> str:
    """Return the report as text, the verdicts first.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> told(pt.data_report(checkerboard(8)), []).splitlines()[0]
    'Data report: a dataset'
    """
    lines = [f"Data report: {facts.source}", "", *_wrapped(lead(facts)), ""]
    for section in verdicts(findings):
        lines += [section.title, *_judged(section), ""]
    for section in sections(facts):
        lines += [section.title, *_table(section), *(line for note in section.notes for line in _wrapped(note)), ""]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _judged(section: Section) -> Iterator[str]:
    wide = [max(len(row[column]) for row in section.rows) + 2 for column in (0, 1)]
    for subject, verdict, why in section.rows:
        head = f"  {subject:<{wide[0]}}{verdict:<{wide[1]}}"
        yield from _wrapped(why, head, " " * len(head))


def _wrapped(text: str, first: str = "  ", then: str = "  ") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=then, break_long_words=False)


def _table(section: Section) -> Iterator[str]:
    if not section.rows:
        return
    rows = [section.heads, *section.rows]
    wide = [max(len(row[column]) for row in rows) for column in range(len(section.heads))]
    for row in rows:
        cells = (f"{cell:<{wide[n]}}" if n in section.words else f"{cell:>{wide[n]}}" for n, cell in enumerate(row))
        yield "  " + "  ".join(cells)
