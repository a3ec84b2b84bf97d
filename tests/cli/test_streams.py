"""Streams, signals and terminals, with processes of their own."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penchant.cli.progress import Bars, progress_on
from penchant.cli.state import State
from penchant.core.errors import StoreError
from penchant.core.progress import SILENT

PENCHANT = Path(sys.executable).with_name("penchant")
HEAVY = ("numpy", "polars", "numba", "scipy", "litestar", "sqlalchemy", "pyarrow")


def test_help_and_version_load_nothing_heavy(empty, process):
    code = (
        "import contextlib, io, sys\n"
        "from penchant.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    done = [main([*c, '--help']) for c in ([], ['import'], ['keys'], ['demo'])] + [main(['--version'])]\n"
        f"print(done, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[0, 0, 0, 0, 0] []"


def test_every_command_has_help_for_itself_and_each_option(empty, run):
    commands = [line.split()[0] for line in run("--help").out.split("Commands:")[1].splitlines() if line.strip()]
    assert len(commands) == 19
    inner = [("keys", name) for name in ("create", "list", "rotate", "revoke")]
    inner += [("consent", name) for name in ("grant", "withdraw", "show")]
    inner += [
        ("data", "report"),
        *(("study", name) for name in ("create", "list", "report", "export", "close", "erase")),
    ]
    for words in [*((name,) for name in commands), *inner]:
        ran = run(*words, "--help")
        assert ran.status == 0
        assert "..." not in ran.out.partition("Commands:")[2], f"{words}: a sentence is cut"
        for line in ran.out.partition("Options:")[2].partition("Commands:")[0].splitlines():
            if line.strip().startswith("-"):
                assert len(line.split("  ")) > 1 or line.strip().endswith("]"), f"{words}: {line} has no help"


def test_nothing_named_shows_help(empty, run):
    for words in ((), ("keys",), ("consent",)):
        ran = run(*words)
        assert ran.status == 0
        assert ran.out.startswith("Usage: penchant")


def test_a_process_that_is_not_on_a_terminal_is_quiet_and_pure(shop, process):
    ran = process("train")
    assert (ran.status, ran.err) == (0, "")
    assert "\x1b" not in ran.out
    assert "\r" not in ran.out
    ran = process("recommend", "nobody", "--json")
    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out)["policy"] == "non-profiling"


def test_a_terminal_shows_bars_on_standard_error_only(shop):
    shown = _on_terminal("train")
    assert "counting co-occurrences" in shown or "EASE" in shown
    assert "%" in shown
    assert "digest" not in shown, "results go to standard output"


def _on_terminal(*args: str) -> str:
    """Return what a command writes on standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    try:
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
        process = subprocess.Popen([PENCHANT, *args], stdout=subprocess.DEVNULL, stderr=theirs, env=env)
        os.close(theirs)
        shown = b""
        while process.poll() is None or select.select([ours], [], [], 0)[0]:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:
                    break
        assert process.wait() == 0
    finally:
        os.close(ours)
    return shown.decode()


def test_verbose_writes_log_lines_on_standard_error(shop, process):
    ran = process("--verbose", "--quiet", "train")
    assert re.search(r"^\d{4}-.* INFO penchant\.engine\.training: fitted ease in \d", ran.err, re.MULTILINE)


def test_bars_in_words(monkeypatch):
    assert progress_on() is SILENT
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress_on(), Bars)
    assert progress_on(quiet=True) is SILENT
    monkeypatch.setenv("TERM", "dumb")
    assert progress_on() is SILENT


class _Terminal:
    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def test_a_reader_that_leaves_is_no_error(shop):
    for args in (["keys", "list"], ["--help"]):
        ours, theirs = os.pipe()
        os.close(ours)
        ran = subprocess.run([PENCHANT, *args], stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)
        os.close(theirs)
        assert (ran.returncode, ran.stderr) == (1, ""), args


def _many(path: Path, rows: int = 150_000) -> Path:
    rng = random.Random(1)
    lines = (
        f"u{rng.randrange(20_000)},i{rng.randrange(900)},2026-0{1 + n % 9}-11 10:00:0{n % 10}\n" for n in range(rows)
    )
    path.write_text("user,item,at\n" + "".join(lines), encoding="utf-8")
    return path


def _stopped(by: signal.Signals, when: Callable[[], bool]) -> subprocess.CompletedProcess[str]:
    """Import many.csv in a process that gets a signal as soon as something is the case."""
    args = [PENCHANT, "import", "many.csv"]
    process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not when():
        time.sleep(0.002)
    process.send_signal(by)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(args, process.returncode, out, err)


def _events(store: str) -> int:
    database = sqlite3.connect(store)
    try:
        return int(database.execute("SELECT count(*) FROM events").fetchone()[0])
    finally:
        database.close()


def _staged() -> bool:
    return any(Path().glob("penchant.db.stage-*/rows.db"))


def _writing() -> bool:
    log = Path("penchant.db-wal")
    return log.exists() and log.stat().st_size > 4_000_000


@pytest.mark.parametrize("when", [_staged, _writing])
def test_killing_an_import_leaves_nothing_half_written(empty, run, when):
    run("init")
    _many(Path("many.csv"))
    assert _stopped(signal.SIGKILL, when).returncode == -signal.SIGKILL
    assert _events("penchant.db") in ((0,) if when is _staged else (0, 150_000)), "all of the file or nothing"
    assert run("import", "many.csv", "--consent", "test").status == 0
    assert _events("penchant.db") == 150_000
    assert not [path for path in Path().iterdir() if path.name.startswith(".many.csv")]


def test_ctrl_c_ends_with_130_and_one_line(empty, run):
    run("init")
    _many(Path("many.csv"))
    ran = _stopped(signal.SIGINT, _staged)
    assert ran.returncode == 130
    assert ran.stderr.endswith("error: interrupted; nothing is left half-written\n")
    assert _events("penchant.db") == 0
    assert not _staged()


@pytest.mark.parametrize("kind", [RuntimeError, OSError, StoreError])
def test_ctrl_c_that_a_library_turned_into_its_own_error_is_ctrl_c(empty, run, monkeypatch, kind):
    def load(*_):
        try:
            raise KeyboardInterrupt
        finally:
            raise kind("cannot close what is open")

    monkeypatch.setattr(State, "settings", load)
    ran = run("train")
    assert (ran.status, ran.err) == (130, "error: interrupted; nothing is left half-written\n")


def test_serve_answers_and_stops(shop, process):
    import httpx

    token = process("keys", "create", "--scope", "recommend:read").out.strip()
    port = _free_port()
    server = subprocess.Popen(
        [PENCHANT, "serve", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _until_up(url, server)
        asked = httpx.post(
            f"{url}/v1/recommendations",
            json={"user": "u1", "placement": "for-you", "n": 3},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert asked.status_code == 200
        assert asked.json()["policy"] == "personalized"
    finally:
        server.send_signal(signal.SIGINT)
        _out, err = server.communicate(timeout=30)
    assert server.returncode in (0, 130)
    assert "Traceback" not in err


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until_up(url: str, server: subprocess.Popen[str]) -> None:
    import httpx

    for _ in range(300):
        assert server.poll() is None, server.stderr.read() if server.stderr else ""
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")
