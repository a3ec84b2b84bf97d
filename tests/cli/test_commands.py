"""Every command does what it says, on files like those that people have."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from penchant.core.settings import Settings, load_settings
from penchant.data.readers import read_events
from penchant.engine.answers import Answer
from penchant.evaluation.report import Report

MAPPING = ("--map", "user=CustomerID", "--map", "item=StockCode", "--map", "at=InvoiceDate")
TOKEN = re.compile(r"pk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")


def test_init_makes_settings_a_store_and_one_key(empty, run):
    ran = run("init", "new/place")
    assert (ran.status, ran.err) == (0, "")
    assert sorted(path.name for path in Path("new/place").iterdir()) == ["penchant.db", "penchant.toml"]
    tokens = set(TOKEN.findall(ran.out))
    assert len(tokens) == 1
    assert (
        f'curl -s http://127.0.0.1:8080/v1/recommendations \\\n    -H "Authorization: Bearer {tokens.pop()}"' in ran.out
    )
    assert "cd new/place" in ran.out
    assert "penchant import orders.csv --map user=CustomerID" in ran.out
    listed = run("--settings", "new/place/penchant.toml", "keys", "list")
    assert len(re.findall("admin", listed.out)) == 2, "one key, called admin, with scope admin"


def test_init_again_overwrites_nothing_and_says_so(empty, run):
    first = run("init")
    Path("penchant.toml").write_text("[server]\nport = 9999\n", encoding="utf-8")
    ran = run("init")
    assert ran.status == 0
    assert "penchant.toml: is there already and was left as it is" in ran.out
    assert "keys: 1 in force" in ran.out
    assert not TOKEN.search(ran.out)
    assert TOKEN.search(first.out)
    assert load_settings("penchant.toml").server.port == 9999


def test_what_init_writes_means_the_defaults(empty, run):
    run("init")
    assert msgspec.convert(tomllib.loads(Path("penchant.toml").read_text(encoding="utf-8")), Settings) == Settings()


def test_import_reports_rejects_duplicates_and_silence(shop, run):
    Path("orders.csv.rejects.csv").unlink()
    ran = run("import", "orders.csv", *MAPPING)
    assert ran.status == 0
    assert "orders.csv: 3,202 rows read, 3,200 accepted, 2 rejected" in ran.out
    assert "1 missing_user (no user), first at line 3,202" in ran.out
    assert "1 bad_time (a time that cannot be read), first at line 3,203" in ran.out
    assert "0 events added, 3,200 were in the store already; 160 people" in ran.out
    assert ran.err == "", "everybody agreed before"
    rejects = Path("orders.csv.rejects.csv").read_text(encoding="utf-8")
    assert rejects.splitlines()[0] == "line,reason,text"
    assert "yesterday" in rejects


def test_import_without_consent_warns_with_the_number_of_people_and_the_next_step(empty, run):
    run("init")
    Path("some.csv").write_text("user,item,at\nann,tea,2026-01-01\nbob,tea,2026-01-02\n", encoding="utf-8")
    ran = run("import", "some.csv")
    assert ran.status == 0
    assert ran.err == (
        "warning: of 2 people in the store, these have not agreed: 2 to train, 2 to personalize; their events are "
        "kept, not used for it; next: import with --consent TEXT, or penchant consent grant --all --basis TEXT\n"
    )
    again = run("import", "some.csv", "--consent", "form of 2026-01")
    assert "0 events added, 2 were in the store already" in again.out
    assert "consent of 2 people recorded" in again.out
    assert again.err == ""
    assert "form of 2026-01" in run("consent", "show", "ann").out


def test_import_takes_columns_separator_constants_and_time_format(empty, run):
    run("init")
    Path("odd.txt").write_text("ann;tea;31/12/2025\nbob;milk;01/02/2026\n", encoding="utf-8")
    ran = run(
        *("import", "odd.txt", "--separator", ";", "--columns", "user,item,at", "--time-format", "%d/%m/%Y"),
        *("--set", "kind=view", "--set", "channel=kiosk", "--consent", "test", "--rejects", "bad.csv"),
    )
    assert (ran.status, ran.err) == (0, "")
    assert "2 events added" in ran.out
    assert not Path("odd.txt.rejects.csv").exists()
    events = read_events("odd.txt", separator=";", columns=["user", "item", "at"], time_format="%d/%m/%Y")
    assert events.table["at"].dt.month().to_list() == [12, 2]


def test_import_of_several_files_and_of_items(shop, run):
    for name, user in (("a.jsonl", "ann"), ("b.jsonl", "bob")):
        line = {"user": user, "item": "i1", "at": "2026-01-01T10:00:00Z"}
        Path(name).write_text(json.dumps(line) + "\n", encoding="utf-8")
    ran = run("import", "a.jsonl", "b.jsonl", "--consent", "test")
    assert ran.out.count("1 events added, 0 were in the store already; 1 person") == 2
    fields = ("--map", "id=sku", "--map", "title=name", "--map", "attributes=brand,cost")
    ran = run("import", "--items", "items.csv", *fields)
    assert (ran.status, ran.err) == (0, "")
    assert "36 items put into the catalogue" in ran.out


def test_train_says_what_it_made(shop, run):
    ran = run("train")
    assert (ran.status, ran.err) == (0, "")
    said = dict(line.split(None, 1) for line in ran.out.splitlines()[:5])
    assert said["models"] == "ease, popular, buy-again, item-knn, trending"
    assert said["learnt"] == "3,200 events, 160 people, 36 items"
    assert float(said["seconds"]) < 60
    assert Path(said["where"]).name == said["digest"][:16]
    assert Path(said["where"]).parent == shop / "artifacts"


def test_recommend_prints_reasons_that_add_up_and_the_basis(shop, run):
    ran = run("recommend", "u1", "-n", "3")
    assert (ran.status, ran.err) == (0, "")
    assert len(re.findall("Thing", ran.out)) > 3
    assert "Because you bought Thing" in ran.out
    assert re.search(r"basis: for-you, personalized, by ease\+popular [0-9a-f]{12}, slate [0-9a-f]{32}", ran.out)
    answer = msgspec.json.decode(run("recommend", "u1", "-n", "3", "--json").out, type=Answer)
    assert [ranked.title.startswith("Thing") for ranked in answer.items] == [True] * 3
    for ranked in answer.items:
        assert sum(reason.weight for reason in ranked.reasons) == pytest.approx(ranked.score, rel=1e-4)


def test_recommend_takes_filters_sessions_and_items(shop, run):
    def asked(*args):
        return msgspec.json.decode(run("recommend", *args, "--json").out, type=Answer)

    narrowed = asked("u1", "--category", "group1", "--price-max", "6", "--exclude", "i1")
    assert narrowed.items
    assert all("group1" in r.categories and r.price <= 6 and r.item != "i1" for r in narrowed.items)
    assert {r.item for r in asked("u1", "--include", "i3", "--include", "i2", "--n", "40").items} <= {"i2", "i3"}
    other = asked("u1", "--exclude-category", "group1", "--price-min", "3")
    assert all("group1" not in r.categories and r.price >= 3 for r in other.items)
    assert asked("--session", "i1,i5").policy == "session"
    assert asked().policy == "non-profiling"
    assert asked("--placement", "similar", "--item", "i2").policy == "item"
    nothing = run("recommend", "u1", "--category", "no such")
    assert "no item is left" in nothing.out


def test_recommend_says_why_nobody_was_profiled(shop, run):
    assert run("recommend", "stranger").err.startswith("warning: stranger has not agreed to personalization")
    assert "next: penchant consent grant stranger --basis TEXT" in run("recommend", "stranger").err
    run("consent", "grant", "stranger", "--basis", "test")
    assert "these models can say nothing from the history of stranger" in run("recommend", "stranger").err


def test_evaluate_prints_tables_and_writes_files(shop, run):
    ran = run("evaluate", "--test", "21d", "--json", "r.json", "--html", "r.html", "--plot", "r.svg")
    assert (ran.status, ran.err) == (0, "")
    for text in ("New items", "Repeats", "ndcg@10", "recall@20", "hit@10", "coverage@10", "for-you (blend)"):
        assert text in ran.out
    assert re.search(r"ease beats popular on ndcg@10 by 0\.\d+ \[0\.\d+, 0\.\d+\]", ran.out)
    assert "cannot tell buy-again from most-frequent on ndcg@10" in ran.out or "buy-again beats" in ran.out
    assert "excludes 0 and p is 0.05 at most" in ran.out
    assert "sign flips" not in ran.out, "the tables have no column of p"
    assert "sign flips" in Path("r.html").read_text()
    for name in ("r.json", "r.html", "r.svg", "r-repeat.html", "r-repeat.svg"):
        assert Path(name).stat().st_size > 1000
        assert name in ran.out
    reports = msgspec.json.decode(Path("r.json").read_bytes(), type=dict[str, Report])
    assert set(reports) == {"new", "repeat"}
    assert {line.name for line in reports["new"].lines} >= {"ndcg@5", "map@20", "novelty@10"}


def test_evaluate_writes_pages_and_tables_that_name_nobody(shop, run):
    forms = ("--html", "r.html", "--markdown", "r.md", "--latex", "r.tex", "--metrics", "hit@5")
    ran = run("evaluate", "--test", "21d", *forms)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith("written: r.html, r.md, r.tex, r-repeat.html, r-repeat.md, r-repeat.tex\n")
    page, table = Path("r.html").read_text(), Path("r.md").read_text()
    assert "<code>penchant evaluate --test 21d --metrics hit@5</code>" in page
    assert "<h3>user 1: " in page
    assert not re.search(r"\bu\d+\b", page), "a real id of a user"
    assert {row.split(" | ")[1] for row in table.splitlines() if row.startswith("| ")} == {"metric", "---", "hit@5"}
    assert Path("r.tex").read_text().count("hit@5 &") == table.count("| hit@5 |")
    named = run("evaluate", "--test", "21d", "--html", "named.html", "--real-ids", "--examples", "1")
    assert named.status == 0
    assert re.findall(r"<h3>(u\d+): ", Path("named.html").read_text())
    assert Path("named.html").read_text().count("Did, latest first") == 1
    assert "--real-ids --examples 1" in Path("named.html").read_text() or "--examples 1 --real-ids" in (
        Path("named.html").read_text()
    )


def test_evaluate_prints_json_alone(shop, run):
    ran = run("evaluate", "--json", "-", "--metrics", "mrr@3")
    assert (ran.status, ran.err) == (0, "")
    reports = json.loads(ran.out)
    assert ("mrr", 3) in {(line["metric"], line["k"]) for line in reports["new"]["lines"]}


def test_keys_live_and_die(shop, run):
    made = run("keys", "create", "--name", "shop", "--scope", "recommend:read", "--scope", "events:write")
    assert (made.status, made.err) == (0, "")
    assert TOKEN.fullmatch(made.out.strip()), "the token and nothing else, so that KEY=$(...) works"
    listed = run("keys", "list").out
    assert "events:write recommend:read" in listed
    assert made.out.strip() not in listed
    key = made.out.split("_")[1]
    assert key in listed
    assert run("keys", "revoke", key).out == f"{key}: revoked\n"
    row = next(line for line in run("keys", "list").out.splitlines() if key in line)
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d +revoked \d{4}-\d\d-\d\d \d\d:\d\d", row)


def test_consent_is_granted_withdrawn_and_shown(shop, run):
    assert run("recommend", "u1").out.count("personalized") == 1
    ran = run("consent", "withdraw", "u1", "u2", "--purpose", "personalize")
    assert ran.out == "2 people withdrew from personalize\n"
    assert "non-profiling" in run("recommend", "u1").out
    shown = run("consent", "show", "u1").out
    assert re.search(r"train +yes +test", shown)
    assert re.search(r"personalize +no +withdrawn", shown)
    assert run("consent", "grant", "u1", "--basis", "came back").out == "1 person agreed to train and personalize\n"
    assert "personalized" in run("recommend", "u1").out
    assert "160 people withdrew" in run("consent", "withdraw", "--all").out
    assert "never asked" in run("consent", "show", "stranger").out


def test_doctor_is_content_with_a_shop_that_works_and_not_with_others(shop, run, tmp_path):
    ran = run("doctor")
    assert ran.status == 0
    assert {line.split()[0] for line in ran.out.splitlines()} <= {"ok", "warn"}
    bare = run("--settings", tmp_path / "none.toml", "doctor")
    assert bare.status == 1
    assert bare.out.startswith("fail  settings: there are no settings")
    assert bare.out.count("next:") == 1
    run("init", tmp_path / "fresh")
    fresh = run("--settings", tmp_path / "fresh" / "penchant.toml", "doctor")
    assert fresh.status == 1
    assert "penchant train" in fresh.out


def test_the_settings_can_come_from_the_environment(made, empty, run, monkeypatch):
    monkeypatch.setenv("PENCHANT_SETTINGS", str(made / "penchant.toml"))
    assert run("recommend", "u1", "-n", "1").status == 0


def test_quiet_leaves_out_what_is_not_a_result(shop, run):
    loud, quiet = run("train"), run("--quiet", "train")
    assert "next:" in loud.out
    assert "next:" not in quiet.out
    assert "digest" in quiet.out
    assert "next:" not in run("--quiet", "import", "orders.csv", *MAPPING).out
