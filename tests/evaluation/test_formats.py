"""Tables for texts: whole, escaped, and bold only where a test says so."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from msgspec.structs import replace

from penchant.core.errors import UnknownName
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.formats import tex
from penchant.evaluation.line import Line
from penchant.evaluation.ranking import Users
from penchant.evaluation.report import Report
from penchant.evaluation.setup import Setup

SETUP = Setup("Random\nsplit.", "random", "new", Users(90, 80, 5, 5), 9, "popular", 1000, 0, {}, {}, {})
LINES = (
    Line("popular", "ndcg", 10, 0.9, 0.8, 0.95),
    Line("ease", "ndcg", 10, 0.3, 0.2, 0.4, 0.1, 0.05, 0.2, 0.01, "better"),
    Line("ials", "ndcg", 10, 0.8, 0.7, 0.9, -0.1, -0.2, 0.1, 0.3, "cannot tell", needed=900, users=80),
    Line("bpr", "ndcg", 10, 0.1, 0.0, 0.2, -0.2, -0.3, -0.1, 0.01, "worse"),
    Line("ease", "arp", 10, 9.0, 8.0, 9.5, 1.0, 0.5, 2.0, 0.01, "higher"),
)


def test_only_what_beats_the_baseline_by_the_test_is_bold() -> None:
    report = Report(LINES, SETUP)
    assert re.findall(r"\*\*([^*]+)\*\*", report.markdown()) == ["0.3000"], "not the highest value, nor what is higher"
    assert re.findall(r"\\textbf\{([^}]+)\}", report.latex()) == ["0.3000"]
    none = Report(LINES[:1] + LINES[2:], SETUP)
    assert "**" not in none.markdown()
    assert "textbf" not in none.latex()


def test_a_table_holds_the_metrics_that_are_asked_for_model_by_model(both, tastes) -> None:
    report = evaluate(both, tastes, ["hit@5", "ndcg@10", "mrr@5"], by=["user.history"])
    rows = [row.split(" | ")[:2] for row in report.markdown(["ndcg@10", "hit@5"]).splitlines() if row.startswith("| ")]
    assert rows[2:] == [[f"| {m}", name] for m in ("popular", "taste") for name in ("ndcg@10", "hit@5")]
    assert report.latex(["hit@5"]).count(r"hit@5 &") == 2
    assert r"user.\allowbreak{}history" in report.latex()
    with pytest.raises(UnknownName, match="unknown metric; got hit@6"):
        report.latex(["hit@6"])


def test_latex_has_the_frame_of_booktabs_and_as_many_cells_in_each_row() -> None:
    text = Report(LINES, SETUP).latex()
    body = [line for line in text.splitlines() if not line.startswith("%")]
    assert [body.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert body[1].startswith(r"\begin{longtable}{")
    assert body[-2:] == [r"\end{longtable}", r"\endgroup"]
    rows = [line for line in body if line.endswith(r"\\") and " & " in line]
    assert len(rows) == 1 + len(LINES)
    assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {7}
    assert "$-$0.1000 [$-$0.2000, 0.1000]" in text


def test_every_letter_that_latex_takes_for_its_own_is_escaped() -> None:
    hostile = '\\input{/etc/passwd} $x^2$ 50% #1 R&D a_b ~ <i> |x| "q"\n\\\\ [1cm]'
    report = Report((Line(hostile, "hit", 5, 0.5), *LINES), SETUP)
    rows = [line for line in report.latex().splitlines() if "passwd" in line]
    assert len(rows) == 1, "a line break in a name does not break the row"
    bare = re.sub(r"\\(?:(?:text[a-z]+|allowbreak)\{\}|[&%$#_{}])", "", rows[0].split(" & hit@5")[0])
    assert not set(bare) & set('\\{}$&#^_%~<>|"')
    assert tex("plain text 1.5") == "plain text 1.5"


def test_a_name_in_brackets_is_no_distance_after_a_line_break() -> None:
    text = Report((Line("[1cm]", "hit", 5, 0.5), Line("*", "hit", 5, 0.5)), SETUP).latex()
    assert "{[1cm]} & hit@5" in text
    assert "{*} & hit@5" in text


def test_a_hostile_name_stays_text_in_markdown() -> None:
    name = "a|b [x](javascript:alert(1)) <script> *b* `c`\n# head"
    text = Report((Line(name, "hit", 5, 0.5),), SETUP).markdown()
    row = next(line for line in text.splitlines() if "hit@5" in line)
    assert row.startswith(r"| a\|b \[x\](javascript:alert(1)) \<script\> \*b\* \`c\` \# head | hit@5 |")
    assert len(re.split(r"(?<!\\)\|", row)) == 9


def test_both_tell_how_it_was_measured_and_what_to_mind() -> None:
    report = Report(LINES, SETUP)
    for text in (report.markdown(), report.latex()):
        assert "1,000 resamples (seed 0)" in text
        assert "There is no catalogue with titles" in text
        assert "Bold: better than popular by the test." in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")
def test_a_table_compiles_and_fits_on_the_page_of_an_article(both, tastes, tmp_path) -> None:
    report = evaluate(both, tastes, ["hit@5", "ndcg@10"], by=["user.history", "item.popularity"])
    hostile = '\\input{/etc/passwd} $x^2$ 50% #1 R&D a_b ~ <i> |x| "q"\n [1cm] ÆØÅ é'
    lines = [replace(line, model="matrix-factorization") for line in report.lines if line.model == "taste"]
    odd = (Line(hostile, "hit", 5, 0.5), Line("[1cm]", "hit", 5, 0.5), Line("*", "hit", 5, 0.5, needed=12_000))
    whole = Report((*report.lines, *lines, *odd), report.setup)
    packages = r"\usepackage{array,booktabs,longtable}"
    text = rf"\documentclass{{article}}{packages}\begin{{document}}{whole.latex()}\end{{document}}"
    (tmp_path / "table.tex").write_text(text, encoding="utf-8")
    for _ in range(3):  # longtable settles its widths from one run to the next
        ran = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
            cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert "in alignment" not in ran.stdout
    assert (tmp_path / "table.pdf").stat().st_size > 1000
