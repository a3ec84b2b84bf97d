"""What cannot be done says so in one line, with what to do next, and never with a traceback."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numba
import pytest

from penchant.cli import faults
from penchant.core.errors import InputError, MissingColumn

MAPPING = ("--map", "user=CustomerID", "--map", "item=StockCode", "--map", "at=InvoiceDate")


def fails(ran, status: int, *parts: str) -> None:
    """Check that a command failed in one line that holds the parts, and said nothing else."""
    assert ran.status == status, ran
    assert ran.err.startswith("error: "), ran
    assert ran.err.count("\n") == 1, ran
    assert "Traceback" not in ran.err
    for part in parts:
        assert part in ran.err, ran.err


@pytest.mark.parametrize(
    "args",
    [
        ("train",),
        ("recommend", "u1"),
        ("evaluate",),
        ("serve",),
        ("keys", "list"),
        ("consent", "show", "u1"),
        ("import", "x"),
    ],
    ids=lambda args: args[0],
)
def test_without_settings(empty, run, args):
    fails(run(*args), 1, "there are no settings; got penchant.toml; next: run 'penchant init'")
    assert list(Path().iterdir()) == []


def test_settings_that_say_what_they_may_not(shop, run):
    for text, told in {
        "[server]\nprot = 1\n": "unknown key; got server.prot; allowed: host, port",
        "store = [": "the settings cannot be read",
        "[server]\nport = 'x'\n": 'server.port has the wrong type; got "x"; allowed: a whole number',
        "[placements.x]\nblend = { eese = 1.0 }\n": "placements.x asks for a model that is not there; got eese",
    }.items():
        Path("penchant.toml").write_text(text, encoding="utf-8")
        fails(run("train"), 1, told)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--map", "CustomerID"), "--map is not FIELD=...; got CustomerID; allowed: one of user, item, at, kind"),
        (("--map", "user="), "--map is not FIELD=...; got user="),
        (("--map", "usr=CustomerID"), "--map: unknown field; got usr; allowed: at, channel"),
        (("--map", "user=a", "--map", "user=b"), "--map names user twice; got a and b"),
        (("--set", "kind"), "--set is not FIELD=...; got kind"),
        (("--items", "--consent", "x"), "--consent is about people; got it with --items"),
        (("orders.csv", "--rejects", "x"), "--rejects names one file; got 2 inputs"),
        (("--frobnicate",), "No such option: --frobnicate; next: 'penchant import --help' shows what is allowed"),
        (("--verbose",), "--verbose stands before the command; next: penchant --verbose ... import"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_import_called_wrongly(shop, run, args, told):
    fails(run("import", "orders.csv", *args), 2, told)


def test_import_of_what_cannot_be_read(shop, run):
    before = run("doctor").out
    Path("empty.csv").write_bytes(b"")
    Path("head.csv").write_text("user,item,at\n", encoding="utf-8")
    Path("bad.csv").write_text("user,item,at\n,tea,2026-01-01\nann,tea,soon\n", encoding="utf-8")
    Path("wide.csv").write_bytes("user,item,at\n".encode("utf-16"))
    Path("photo.png").write_bytes(b"\x89PNG")
    fails(run("import", "none.csv"), 1, "there is no such file; got none.csv")
    fails(run("import", "."), 1, "a directory is not a file")
    fails(run("import", "empty.csv"), 1, "the file is empty; got empty.csv")
    fails(run("import", "head.csv"), 1, "head.csv")
    fails(run("import", "wide.csv"), 1, "the file is not UTF-8 text")
    fails(run("import", "photo.png"), 1, "a file of a kind that is not known", "--separator ")
    fails(run("import", "bad.csv"), 1, "no row of the file can be used", "2 rejected", "bad.csv.rejects.csv")
    assert len(Path("bad.csv.rejects.csv").read_text(encoding="utf-8").splitlines()) == 3
    assert run("doctor").out == before


def test_import_of_columns_that_are_not_there(shop, run):
    ran = run("import", "orders.csv", "--map", "user=CustomerId", "--map", "item=StockCode")
    fails(
        ran, 1, "orders.csv has no column 'CustomerId' for user", "next: say which one it is: --map user='CustomerID'"
    )
    ran = run("import", "orders.csv", *MAPPING, "--map", "kind=What")
    fails(ran, 1, "orders.csv has no column 'What' for kind; got CustomerID, StockCode, InvoiceDate")
    fails(run("import", "orders.csv", *MAPPING, "--set", "item=tea"), 1, "unknown constant; got item")
    fails(run("import", "orders.csv", *MAPPING, "--separator", ";"), 1, "--separator ")


def test_advice_in_options():
    told = faults.in_options(InputError("no", then="rename or convert it, or pass separator= for delimited text"))
    assert str(told) == "no; next: rename or convert it, or --separator for delimited text"
    error = MissingColumn("no", got="a", allowed="b", then="pass rejects=<another path>", field="x")
    told = faults.in_options(error)
    assert faults.in_options(InputError("no")).then is None
    assert (type(told), told.got, told.allowed, told.field) == (MissingColumn, "a", "b", "x")
    assert told.then == "--rejects <another path>"


def test_rejects_that_cannot_be_written(shop, run):
    fails(run("import", "orders.csv", *MAPPING, "--rejects", "no/such/place.csv"), 1, "next: --rejects <another path>")
    fails(run("import", "orders.csv", *MAPPING, "--rejects", "orders.csv"), 1, "would overwrite what is read")


def test_questions_that_cannot_be_answered(shop, run):
    fails(
        run("recommend", "u1", "--placement", "for-yuo"), 1, "unknown placement; got for-yuo", "did you mean 'for-you'?"
    )
    fails(run("recommend", "--placement", "similar"), 1, "'similar' needs the item on the page")
    ran = run("recommend", "u1", "--placement", "similar")
    assert ran.err.endswith("needs the item on the page; allowed: an item id; next: add --item ID\n")
    fails(run("recommend", "--placement", "similar", "--item", "x"), 1, "the models do not know this item; got x")
    fails(run("recommend", "u1", "-n", "0"), 1, "n is out of range; got 0; allowed: 1 to 1000")
    fails(
        run("recommend", "u1", "'--price-max'", "next: 'penchant recommend --help'"),
        2,
        "'--price-max'",
        "next: 'penchant recommend --help'",
    )
    fails(run("recommend", "u1", "--json", "-n", "0"), 1, "n is out of range")


def test_evaluations_that_cannot_be_made(shop, run):
    fails(run("evaluate", "--test", "soon"), 1, "not a duration; got soon")
    fails(run("evaluate", "--test", "900d"), 1, "the train side of the split is empty")
    fails(run("evaluate", "--metrics", "ndgc@10"), 1, "unknown metric; got ndgc; allowed: ", "did you mean 'ndcg'?")
    fails(run("evaluate", "--metrics", "ndcg"), 1, "a metric needs the length of the slate; got ndcg")
    fails(run("evaluate", "--json", "no/such/r.json"), 1, "there is no such folder; got no/such")


def test_keys_and_consent_that_cannot_be(shop, run):
    fails(
        run("keys", "create", "--scope", "recommend:raed"), 1, "unknown scope; got recommend:raed", "'recommend:read'?"
    )
    fails(run("keys", "create"), 2, "a key needs a --scope, or --public")
    fails(run("keys", "create", "--scope", "admin", "--name", " "), 1, "a key needs a name")
    fails(run("keys", "revoke", "nokey"), 1, "no such key; got nokey; next: 'penchant keys list' shows the ids")
    fails(run("consent", "grant", "--basis", "x"), 2, "name users or say --all; got neither")
    fails(run("consent", "withdraw", "u1", "--all"), 2, "name users or say --all; got both")
    fails(run("consent", "grant", "u1"), 2, "--basis")
    fails(run("consent", "grant", "u1", "--basis", ""), 1, "basis is empty")
    fails(run("consent", "grant", "u1", "--basis", "x", "--purpose", "sell"), 1, "unknown purpose; got sell")


def test_serving_without_a_key(shop, run):
    key = run("keys", "list").out.split("admin")[0].split()[-1]
    run("keys", "revoke", key)
    fails(run("serve"), 1, "there is no key, so nobody could ask the server; next: penchant keys create --scope")


def test_before_anything_was_trained(empty, run):
    run("init")
    fails(run("recommend", "u1"), 1, "no models are trained yet; next: run 'penchant train'")
    fails(run("train"), 1, "there are no events that may be learnt from; got 0 events stored")
    fails(run("evaluate"), 1, "there are no events that may be learnt from")
    assert "there is no key" not in run("keys", "list").out


def test_a_store_that_is_gone_damaged_or_newer(shop, run):
    store = Path("penchant.db")
    with sqlite3.connect(store) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    fails(run("train"), 1, "the store is from a newer version of Penchant; got schema 9999", "next: upgrade Penchant")
    fails(run("init"), 1, "the store is from a newer version of Penchant")
    assert run("doctor").status == 1
    store.unlink()
    fails(run("recommend", "u1"), 1, "there is no store; got ", "next: run 'penchant init'")
    store.write_bytes(b"this is not a database" * 100)
    fails(run("recommend", "u1"), 1, "the store failed; got ")


def test_a_model_with_a_flipped_byte(shop, run):
    bundle = Path(next(line for line in run("train").out.splitlines() if line.startswith("where")).split()[1])
    array = sorted(path for path in bundle.rglob("*") if path.is_file() and path.suffix != ".json")[0]
    raw = bytearray(array.read_bytes())
    raw[len(raw) // 2] ^= 1
    array.write_bytes(bytes(raw))
    fails(run("recommend", "u1"), 1, "a file of the saved model is not what was saved", array.name, "train again")
    assert run("doctor").status == 1
    assert run("train").status == 0
    assert run("recommend", "u1").status == 0, "train again was good advice"


def test_folders_that_cannot_be_written_to(empty, run):
    Path("file").write_text("in the way", encoding="utf-8")
    fails(run("init", "file"), 1, "the settings cannot be written; got file/penchant.toml", "next: choose a folder")
    run("init", "place")
    shutil.rmtree("place/artifacts", ignore_errors=True)
    Path("place/artifacts").write_text("in the way", encoding="utf-8")
    rows = "".join(f"u{n % 30},i{n % 7},2026-01-{1 + n % 28:02}\n" for n in range(300))
    Path("some.csv").write_text("user,item,at\n" + rows, encoding="utf-8")
    toml = ("--settings", "place/penchant.toml")
    assert run(*toml, "import", "some.csv", "--consent", "test").status == 0
    fails(run(*toml, "train"), 1, "the models cannot be written; got ", "next: check the path and free space")


def test_a_demo_into_a_folder_that_holds_something_else(empty, run):
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work", encoding="utf-8")
    fails(run("demo", "--once", "--folder", "mine"), 1, "the folder holds something that is not a demonstration's")
    assert Path("mine/thesis.txt").exists()


def test_commands_that_are_none(empty, run):
    fails(run("frobnicate"), 2, "No such command 'frobnicate'; next: 'penchant --help' shows what is allowed")
    fails(run("keys", "frobnicate"), 2, "next: 'penchant keys --help' shows what is allowed")
    fails(run("import"), 2, "name a file, - for standard input, or --query; got none")


def test_nothing_of_the_data_steers_the_terminal(shop, run):
    Path("evil.jsonl").write_text('{"id": "i1", "title": "\\u001b[31mred\\u202e"}\n', encoding="utf-8")
    run("import", "--items", "evil.jsonl")
    shown = run("recommend", "--placement", "trending", "--include", "i1")
    assert "red" in shown.out
    assert not {"\x1b", "\u202e"} & set(shown.out)
    fails(run("recommend", "--placement", "\x1b[2J"), 1, "unknown placement")
    assert "\x1b" not in run("recommend", "--placement", "\x1b[2J").err


def test_no_folder_for_compiled_code(monkeypatch, run):
    source = compile("def made(): return 1", "no-such-file.py", "exec")
    exec(source, space := {})

    def show(_context):
        numba.njit(cache=True)(space["made"])

    monkeypatch.setattr("penchant.cli.COMMANDS.invoke", show)
    fails(run("train"), 1, "there is no folder for compiled code; next: set NUMBA_CACHE_DIR")
