"""``penchant evaluate`` and ``penchant tune`` by every protocol, on a file and on the store; bad input is one line."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import numpy as np
import pytest

from penchant.evaluation.report import Report

MAPPING = ("--map", "user=CustomerID", "--map", "item=StockCode", "--map", "at=InvoiceDate")
CATALOGUE = ("--items", "items.csv", "--map-item", "id=sku", "--map-item", "attributes=brand,group")
FAST = ("--models", "popular,item-knn", "--json", "-")


def _read(text: str) -> dict[str, Report]:
    return msgspec.json.decode(text, type=dict[str, Report])


@pytest.fixture
def ratings(empty):
    """Write the stars that 120 people of two tastes gave to 20 of 40 things."""
    rng = np.random.default_rng(3)
    with Path("stars.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["user", "item", "at", "stars"])
        for user, item in zip(*np.nonzero(rng.random((120, 40)) < 0.5), strict=True):
            stars = np.clip(round((4.3 if (user + item) % 2 else 2) + rng.normal(0, 0.6)), 1, 5)
            rows.writerow([f"u{user}", f"i{item}", f"2026-{rng.integers(1, 10):02}-{rng.integers(1, 29):02}", stars])
    return ("evaluate", "stars.csv", "--map", "value=stars", "--set", "kind=rating")


@pytest.mark.parametrize(
    ("options", "kind", "windows", "about"),
    [
        ((), "temporal", 1, "Temporal split after"),
        (("--protocol", "rolling", "--test", "14d", "--windows", "2"), "rolling", 2, "2 splits, models fitted anew"),
        (("--protocol", "leave-last-out"), "leave-last-out", 1, "the last 1 event of each user"),
        (("--protocol", "random", "--share", "0.3", "--seed", "4"), "random", 1, "(30% of all events)"),
        (("--protocol", "k-fold", "--folds", "3"), "k-fold", 3, "Fold 3 of 3"),
        (("--protocol", "strong", "--share", "0.25"), "strong", 1, "of 40 new users"),
        (("--protocol", "sessions", "--gap", "2d"), "sessions", 1, "Session split after"),
    ],
)
def test_every_protocol_on_a_file(shop, run, options, kind, windows, about):  # noqa: PLR0917
    ran = run("evaluate", "orders.csv", *MAPPING, *options, *FAST)
    assert (ran.status, ran.err) == (0, "")
    (task, report), *more = _read(ran.out).items()
    assert not more
    assert task == ("any" if kind == "sessions" else "new")
    assert (report.setup.kind, report.setup.windows) == (kind, windows)
    assert about in report.setup.split
    assert {line.model for line in report.lines} == {"popular", "item-knn"}
    best = next(line for line in report.lines if line.model == "item-knn" and line.name == "ndcg@10")
    assert best.verdict == "better"
    assert best.seconds > 0


def test_a_file_needs_neither_store_nor_settings_and_leaves_nothing(shop, run, tmp_path, monkeypatch):
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.chdir(place)
    ran = run("evaluate", shop / "orders.csv", *MAPPING, "--models", "popular,ease")
    assert (ran.status, ran.err) == (0, "")
    assert "ease beats popular on ndcg@10" in ran.out
    assert "3,200 of 3,202 rows of orders.csv, brought by whoever asked, who answers for the consent" in ran.out
    assert list(place.iterdir()) == []


def test_a_file_has_the_figures_that_its_import_has(shop, run):
    of_file, of_store = (_read(run("evaluate", *file, *FAST).out)["new"] for file in (("orders.csv", *MAPPING), ()))
    figures = [(line.label, line.value, line.low) for line in of_store.lines if line.metric != "diversity"]
    assert len(figures) < len(of_store.lines), "the catalogue of the store has categories, the file has none"
    assert [(line.label, line.value, line.low) for line in of_file.lines] == figures
    assert of_store.setup.notes == ()


def test_slices_and_parities_by_columns_of_files(shop, run):
    with Path("users.csv").open("w", encoding="utf-8") as file:
        file.write("user,side\n" + "".join(f"u{user},{'even' if user % 2 else 'odd'}\n" for user in range(160)))
    options = ("--by", "user.side,user.cold,item.popularity,item.group", "--users", "users.csv")
    metrics = ("--metrics", "ndcg@10,ndcg_parity@10,exposure_parity@10")
    ran = run("evaluate", "orders.csv", *MAPPING, *CATALOGUE, *options, *metrics, *FAST)
    assert (ran.status, ran.err) == (0, "")
    slices = {line.slice for line in _read(ran.out)["new"].lines}
    assert {"user.side = odd", "item.popularity = tail", "item.group = group1"} <= slices
    assert {"groups of user.side", "groups of item.group"} <= slices
    told = run("evaluate", "orders.csv", *MAPPING, *CATALOGUE, *options, *metrics, "--models", "popular,item-knn")
    assert "item-knn beats popular on ndcg@10 for user.side = odd" in told.out
    assert "on exposure_parity@10 for groups of item.group" in told.out
    assert "user.history" not in ran.out, "groups are compared by the columns that were named and no other"


def test_the_store_is_sliced_by_its_catalogue(shop, run):
    ran = run("evaluate", "--by", "item.categories", *FAST)
    assert (ran.status, ran.err) == (0, "")
    slices = {line.slice for line in _read(ran.out)["new"].lines}
    assert {"item.categories = group0", "item.categories = group3"} <= slices


def test_the_settings_hold_unless_an_option_says_otherwise(shop, run):
    text = '[evaluation]\nprotocol = "k-fold"\nfolds = 2\nby = ["user.history"]\nresamples = 100\n'
    Path("penchant.toml").write_text(text, encoding="utf-8")
    report = _read(run("evaluate", *FAST).out)["new"]
    assert (report.setup.windows, report.setup.by, report.setup.resamples) == (2, ("user.history",), 100)
    report = _read(run("evaluate", "--protocol", "random", "--by", "item.cold", *FAST).out)["new"]
    assert (report.setup.kind, report.setup.by) == ("random", ("item.cold", "user.history"))


def test_a_page_is_sliced_by_what_was_named_and_by_history(shop, run, tmp_path):
    forms = [word for form in ("html", "markdown", "latex") for word in (f"--{form}", str(tmp_path / f"r.{form}"))]
    ran = run("evaluate", "--protocol", "rolling", "--test", "14d", "--windows", "2", "--by", "item.popularity", *forms)
    assert (ran.status, ran.err) == (0, "")
    assert "for item.popularity = " in ran.out
    assert "for user.history = " not in ran.out, "only files tell of what was not asked for"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    for told in ("By segment: item.popularity", "By history length", "Split by split", "user 3", "1 train", "2 test"):
        assert told in page, told
    assert "nobody measured how long fitting took" not in page
    command = "penchant evaluate --protocol rolling --test 14d --windows 2 --by item.popularity</code>"
    assert command in page
    table = (tmp_path / "r.markdown").read_text(encoding="utf-8").partition("\n\n")[0]
    assert "ndcg@10 for item.popularity = " in table
    assert "user.history" not in table
    assert r"\bottomrule" in (tmp_path / "r.latex").read_text(encoding="utf-8")


def test_a_sampled_report_is_written_in_every_form(shop, run, tmp_path):
    forms = [word for form in ("html", "markdown", "plot") for word in (f"--{form}", str(tmp_path / f"{form}.svg"))]
    ran = run("evaluate", "--negatives", "10", "--models", "popular,item-knn", "--metrics", "ndcg@10", *forms)
    assert (ran.status, ran.err) == (0, "")
    assert "| item-knn | ndcg@10 (sampled, 10) |" in (tmp_path / "markdown.svg").read_text(encoding="utf-8")
    assert "ndcg@10 (sampled, 10)" in (tmp_path / "html.svg").read_text(encoding="utf-8")


def test_sampled_figures_say_so(shop, run):
    ran = run("evaluate", "orders.csv", *MAPPING, "--negatives", "10", "--models", "popular,item-knn")
    assert (ran.status, ran.err) == (0, "")
    assert "ndcg@10 (sampled, 10)" in ran.out
    assert "Ranking: sampled." in ran.out
    assert "coverage" not in ran.out.partition("Temporal")[0]


def test_a_task_asks_all_models_or_its_own(shop, run):
    both = _read(run("evaluate", "orders.csv", *MAPPING, "--models", "popular,buy-again", "--json", "-").out)
    assert {task: {line.model for line in report.lines} for task, report in both.items()} == {
        "new": {"popular"},
        "repeat": {"buy-again", "most-frequent"},
    }
    either = ("evaluate", "orders.csv", *MAPPING, "--models", "popular,buy-again", "--json", "-", "--task")
    assert {line.model for line in _read(run(*either, "any").out)["any"].lines} == {"popular", "buy-again"}
    assert list(_read(run(*either, "repeat").out)) == ["repeat"]


def test_the_baseline_can_be_named_in_the_tasks_that_have_it(shop, run):
    models = ("--models", "popular,item-knn,buy-again", "--json", "-")
    both = _read(run("evaluate", "orders.csv", *MAPPING, *models, "--baseline", "item-knn").out)
    assert {task: report.setup.baseline for task, report in both.items()} == {
        "new": "item-knn",
        "repeat": "most-frequent",
    }
    assert {line.model for line in both["new"].lines if line.verdict} == {"popular"}
    assert "--baseline item-knn" in both["new"].setup.command
    blend = _read(run("evaluate", "orders.csv", *MAPPING, "--json", "-", "--baseline", "for-you (blend)").out)
    assert blend["new"].setup.baseline == "for-you (blend)"
    wrong = run("evaluate", "orders.csv", *MAPPING, *models, "--baseline", "item-kn")
    assert (
        "unknown baseline; got item-kn; allowed: buy-again, for-you (blend), item-knn, most-frequent, pop" in wrong.err
    )


def test_ratings_are_measured_against_biases_and_who_cannot_rate_is_left_out(ratings, run):
    options = ("--protocol", "random", "--models", "popular,matrix-factorization")
    ran = run(*ratings, *options, "--metrics", "rmse,mae,accuracy,f1", "--threshold", "3", "--json", "r.json")
    assert ran.status == 0
    assert ran.err == ""
    assert "matrix-factorization beats biases on rmse by 0." in ran.out
    assert "matrix-factorization beats biases on f1 by 0." in ran.out
    assert "Likes: a rating above 3 is a like" in ran.out
    report = _read(Path("r.json").read_text(encoding="utf-8"))["rating"]
    assert {line.model for line in report.lines} == {"biases", "matrix-factorization"}
    assert next(line for line in report.lines if line.verdict).diff < 0
    folds = run(*ratings, "--protocol", "k-fold", "--folds", "2", "--task", "rating", *options[2:], "--json", "-")
    assert {line.name for line in _read(folds.out)["rating"].lines} == {"rmse", "mae", "answered"}


def test_what_is_left_out_of_ratings_is_logged(ratings, run, caplog):
    run(*ratings, "--protocol", "random", "--models", "popular,matrix-factorization", "--task", "rating")
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ["popular is left out: it does not foresee ratings"]
    ran = run(*ratings, "--protocol", "random", "--models", "popular", "--task", "rating")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "error: no model is for the task rating; got popular; next: name one, such as matrix-factorization\n"
    )


def test_likes_on_one_side_of_the_threshold_are_refused(ratings, run):
    ran = run(*ratings, "--protocol", "random", "--models", "matrix-factorization", "--metrics", "f1")
    assert (ran.status, ran.out) == (1, "")
    assert "every rating of the test is a like; got ratings from 1 to 5 and a threshold of 0" in ran.err
    assert ran.err.count("\n") == 1


def _halves(late: bool) -> tuple[str, str]:
    """Write two files of one market: the second is later than the first, or not."""
    rng = np.random.default_rng(0)
    for name, days in (("train.csv", range(1, 15)), ("test.csv", range(15, 29) if late else range(1, 29))):
        with Path(name).open("w", encoding="utf-8") as file:
            file.write("user,item,at\n")
            for user in range(40):
                for _ in range(8):
                    day = days[rng.integers(len(days))]
                    file.write(
                        f"u{user},i{2 * rng.integers(10) + user % 2},2026-05-{day:02}T0{rng.integers(10)}:00:00\n"
                    )
    return "train.csv", "test.csv"


def test_a_split_that_came_as_two_files_is_taken_as_it_is(empty, run):
    train, test = _halves(late=True)
    ran = run("evaluate", train, "--held-out", test, *FAST)
    assert (ran.status, ran.err) == (0, "")
    report = _read(ran.out)["new"]
    assert report.setup.kind == "given"
    assert report.setup.split.startswith("Split as given: 320 events of 40 users to learn from, 320 events of 40 users")
    assert [note[:22] for note in report.setup.notes] == ["Data: 320 of 320 rows o"[:22]] * 2


def test_a_leak_is_refused_unless_it_is_allowed_by_name(empty, run):
    train, test = _halves(late=False)
    ran = run("evaluate", train, "--held-out", test, *FAST)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("error: models learn from what came after the test; got ")
    assert "--allow future" in ran.err
    again = run("evaluate", train, "--held-out", test, *FAST, "--allow", "future", "--allow", "hindsight")
    if again.status:
        assert "events stand on both sides" in again.err
        again = run(
            "evaluate",
            train,
            "--held-out",
            test,
            *FAST,
            *("--allow", "future"),
            *("--allow", "hindsight"),
            *("--allow", "twice"),
        )
    report = _read(again.out)["new"]
    assert any(text.startswith("Leak 'future', which this way of splitting lets through: ") for text in report.about())
    assert run("evaluate", train, "--held-out", test, *FAST, "--allow", "past").err.startswith(
        "error: unknown leak; got past"
    )


def test_tuning_on_a_file(shop, run, tmp_path, monkeypatch):
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.chdir(place)
    options = ("--trials", "2", "--windows", "1", "--field", "k", "--metric", "ndcg@5")
    ran = run("tune", "item-knn", shop / "orders.csv", *MAPPING, *options)
    assert (ran.status, ran.err) == (0, "")
    assert "[models.item-knn]" in ran.out
    assert "brought by whoever asked" in ran.out
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "status", "text"),
    [
        (("--folds", "3"), 2, "--folds is about k-fold; got --protocol temporal"),
        (
            ("--protocol", "k-fold", "--test", "7d"),
            2,
            "--test is about temporal, rolling, sessions; got --protocol k-fold",
        ),
        (("--protocol", "sideways"), 1, "unknown protocol; got sideways"),
        (("--task", "old"), 1, "unknown task; got old; allowed: any, new, rating, repeat"),
        (("--models", "popular,eas"), 1, "unknown model; got eas"),
        (("--models", "popular", "--task", "repeat"), 1, "no model is for the task repeat; got popular"),
        (("--users", "items.csv"), 2, "--users is for slices of users; got no --by user.<column>"),
        (("--by", "user.side", "--users", "items.csv"), 1, "has no column 'user'"),
        (("--by", "brand"), 1, "by names no column; got 'brand'"),
        (("--by", "item.brand"), 1, "there is no catalogue with a column 'brand'; next: bring items"),
        (("--metrics", "ndcg@10,rmse"), 1, "a metric of ratings has no meaning for the task new; got rmse"),
        (("--metrics", "ndcg_parity@10"), 1, "ndcg_parity compares groups of users, and none are named"),
        (("--negatives", "0"), 1, "negatives is out of range; got 0"),
        (("--protocol", "strong", "--share", "1.5"), 1, "users is out of range; got 1.5"),
        (("--protocol", "rolling", "--windows", "0"), 1, "windows is out of range; got 0"),
        (("--held-out", "orders.csv", "--protocol", "random"), 2, "--held-out is a protocol of its own"),
        (("--test", "900d"), 1, "the train side of the split is empty; got 900d"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(shop, run, args, status, text):
    ran = run("evaluate", "orders.csv", *MAPPING, "--models", "popular,item-knn", *args)
    assert (ran.status, ran.out) == (status, "")
    assert text in ran.err
    assert ran.err.count("\n") == 1


def test_options_of_a_file_without_one_are_refused(shop, run):
    for command in (("evaluate",), ("tune", "ease")):
        ran = run(*command, *MAPPING)
        assert (ran.status, ran.err.startswith("error: --map is about a file, and none is named")) == (2, True)
    ran = run("evaluate", "--held-out", "orders.csv")
    assert ran.err.startswith("error: --held-out goes with a file of what is learnt from; got no FILE")
