"""The table of a report for texts: Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from penchant.evaluation.line import Line, cells
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.reportpage.cautions import cautions
from penchant.evaluation.setup import about

__all__ = ["latex", "markdown", "tex"]

_VALUE = 2
"The column of the value."

_WORDS = r">{{\raggedright\arraybackslash}}p{{{:.2f}\linewidth}}"
_COLUMNS = f"{_WORDS.format(0.13)}{_WORDS.format(0.14)}rrrr{_WORDS.format(0.11)}"
"Columns of words break their lines, so that the table fits on a page of one column."

_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}

_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~])")
_NEGATIVE = re.compile(r"(?<![\w.])-(?=\d)")
_JOINTS = re.compile(r"(?<=\w)(\.|\\_)(?=\w)")
"Where a long name may be broken: user.country, my_model."

_BREAKS = re.compile(r"\s*[\r\n\u2028\u2029]\s*")


def markdown(found: Outcome, metrics: Sequence[str] | None = None, by: Sequence[str] = ()) -> str:
    r"""Return the table, the warnings and how it was measured as Markdown; see :meth:`Report.markdown`.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> better = Line("my_ease", "hit", 5, 0.3, 0.2, 0.4, 0.1, 0.05, 0.2, 0.01, "better")
    >>> print(markdown(Outcome((better,), setup)).splitlines()[2])
    | my\_ease | hit@5 | **0.3000** | [0.2000, 0.4000] | 0.1000 [0.0500, 0.2000] | 0.0100 | better |
    """
    rows = [
        [("**{}**" if strong else "{}").format(_plain(cell) if n < _VALUE else cell) for n, (cell, strong) in row]
        for row in map(enumerate, _rows(found, metrics, by))
    ]
    ruler = ["---", "---", "---:", "---:", "---:", "---:", "---"]
    table = [f"| {' | '.join(row)} |" for row in ([_plain(head) for head in _heads(found)], ruler, *rows)]
    parts = [
        "\n".join(table),
        *_warned(found),
        "\n".join(f"- {_plain(text)}" for text in (*_legend(found), *about(found.setup))),
    ]
    return "\n\n".join(parts) + "\n"


def latex(found: Outcome, metrics: Sequence[str] | None = None, by: Sequence[str] = ()) -> str:
    r"""Return the table for LaTeX; see :meth:`Report.latex`.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> better = Line("my_ease", "hit", 5, 0.3, 0.2, 0.4, 0.1, 0.05, 0.2, 0.01, "better")
    >>> print(latex(Outcome((better,), setup)).splitlines()[-3])
    my\_\allowbreak{}ease & hit@5 & \textbf{0.3000} & [0.2000, 0.4000] & 0.1000 [0.0500, 0.2000] & 0.0100 & better \\
    """
    notes = (*_legend(found), *about(found.setup), *(f"{caution.text} {caution.then}" for caution in cautions(found)))
    lines = [
        r"% needs \usepackage{array,booktabs,longtable}, and XeLaTeX for names in other scripts than Latin; "
        "what is bold beats the baseline by the test"
    ]
    lines += [f"% {_BREAKS.sub(' ', note)}" for note in notes]
    lines += [r"\begingroup\scriptsize\setlength{\tabcolsep}{1pt}", rf"\begin{{longtable}}{{{_COLUMNS}}}"]
    lines += [rf"\caption{{{tex(_caption(found))}}}\\", r"\toprule"]
    lines += [" & ".join(map(tex, _heads(found))) + r" \\", r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"]
    model = None
    for row in _rows(found, metrics, by):
        if model is not None and row[0][0] != model:
            lines.append(r"\addlinespace")
        model = row[0][0]
        # a bracket at the beginning of a row would be taken for a distance by the \\ before it
        shown = [(r"\textbf{%s}" if strong else "%s") % _number(cell, n) for n, (cell, strong) in enumerate(row)]
        shown[0] = f"{{{shown[0]}}}" if shown[0].startswith(("[", "*")) else shown[0]
        lines.append(" & ".join(shown) + r" \\")
    return "\n".join([*lines, r"\end{longtable}", r"\endgroup"]) + "\n"


def tex(text: str) -> str:
    r"""Return a text with what LaTeX takes for its own said so that it prints.

    >>> print(tex("50% of R&D_costs {a~b} \\x <1>"))
    50\% of R\&D\_costs \{a\textasciitilde{}b\} \textbackslash{}x \textless{}1\textgreater{}
    """
    return "".join(_TEX.get(letter, letter) for letter in _BREAKS.sub(" ", text))


def _number(cell: str, column: int) -> str:
    """Return a cell for LaTeX, its numbers with a minus and not a hyphen."""
    if column < _VALUE:
        return _JOINTS.sub(r"\1\\allowbreak{}", tex(cell))
    return "--" if cell == "-" else _NEGATIVE.sub("$-$", tex(cell))


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", _BREAKS.sub(" ", text))


def _heads(found: Outcome) -> list[str]:
    return ["model", "metric", "value", "95% interval", f"difference from {found.setup.baseline}", "p", "verdict"]


def _rows(found: Outcome, metrics: Sequence[str] | None, by: Sequence[str]) -> Iterator[list[tuple[str, bool]]]:
    """Yield the cells of every line, and whether each is strong: the value of what beats the baseline is."""
    lines: Sequence[Line] = found.lines
    if metrics is not None:
        parts = [line for line in found.lines if line.part is not None and line.part.partition(" = ")[0] in by]
        chosen = [(*found.of(name), *(line for line in parts if str(line.measure) == name)) for name in metrics]
        lines = sorted((line for part in chosen for line in part), key=lambda line: _order(found, line))
    for line in lines:
        yield [(cell, line.verdict == "better" and n == _VALUE) for n, cell in enumerate(cells(line))]


def _order(found: Outcome, line: Line) -> int:
    """Return where the model of a line comes among all."""
    return list(dict.fromkeys(known.model for known in found.lines)).index(line.model)


def _caption(found: Outcome) -> str:
    setup, users = found.setup, found.setup.users
    whom = f"{users.evaluated:,} {'users' if setup.people is None else 'questions'}"
    return f"A {setup.kind} split, {whom}, among {setup.items:,} items. {_legend(found)[0]}"


def _legend(found: Outcome) -> tuple[str, ...]:
    return (
        f"Bold: better than {found.setup.baseline} by the test. A value that is not bold is not shown to be worse.",
    )


def _warned(found: Outcome) -> list[str]:
    """Return the warnings as a list of Markdown, when there are any."""
    listed = [f"- {_plain(f'{caution.text} {caution.then}')}" for caution in cautions(found)]
    return ["Mind:\n\n" + "\n".join(listed)] if listed else []
