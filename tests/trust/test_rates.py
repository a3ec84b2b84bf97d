"""Limits hold among the processes of a machine, and survive what happens to their file."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import InputError
from penchant.trust.rates import Buckets, Rate, parse_rate, taken

DAILY = Rate(300, 86_400.0)


class Ticks:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def take_many(path: Path, times: int) -> int:
    buckets = Buckets(path)
    return sum(buckets.take("shop", DAILY) == 0.0 for _ in range(times))


def test_processes_share_one_bucket_exactly(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        admitted = pool.starmap(take_many, [(tmp_path / "own" / "keys", 150)] * 4)
    assert sum(admitted) == 300


def test_threads_share_one_bucket_exactly(tmp_path: Path) -> None:
    buckets, admitted = Buckets(tmp_path / "keys"), []

    def work() -> None:
        admitted.append(sum(buckets.take("shop", DAILY) == 0.0 for _ in range(150)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    buckets.close()
    assert sum(admitted) == 300


@given(
    st.lists(st.floats(0, 30), max_size=60),
    st.integers(1, 20),
    st.sampled_from([1.0, 60.0]),
)
def test_no_more_are_admitted_than_the_rate_says(pauses: list[float], count: int, seconds: float) -> None:
    """In any stretch: at most the whole bucket and what comes back meanwhile."""
    rate, tokens, at = Rate(count, seconds), float(count), 0.0
    admitted: list[float] = []
    for pause in pauses:
        at += pause
        tokens, wait = taken(tokens, pause, rate)
        assert 0 <= tokens <= count
        if not wait:
            admitted.append(at)
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= count + (admitted[last] - admitted[first]) * rate.per_second + 1e-6


def test_waiting_as_long_as_was_said_is_enough(tmp_path: Path) -> None:
    ticks = Ticks()
    buckets = Buckets(tmp_path / "keys", ticks=ticks)
    rate = Rate(2, 60.0)
    assert [buckets.take("shop", rate) for _ in range(3)] == [0.0, 0.0, 30.0]
    ticks.now += 30.0
    assert buckets.take("shop", rate) == 0.0
    ticks.now = 5.0  # the machine was started anew: its clock begins at nothing, and the bucket is full
    assert [buckets.take("shop", rate) for _ in range(2)] == [0.0, 0.0]
    buckets.close()


def test_a_full_table_makes_room_and_stays_as_large(tmp_path: Path) -> None:
    ticks = Ticks()
    buckets = Buckets(tmp_path / "few", slots=16, ticks=ticks)
    for number in range(1_000):
        ticks.now += 1
        assert buckets.take(f"place {number}", DAILY) == 0.0
    size = (tmp_path / "few").stat().st_size
    assert size == 64 + 16 * 24
    assert (tmp_path / "few").stat().st_mode & 0o777 == 0o600
    assert b"place" not in (tmp_path / "few").read_bytes()
    buckets.close()


def test_counts_survive_the_process(tmp_path: Path) -> None:
    for _ in range(3):
        buckets = Buckets(tmp_path / "keys")
        waits = [buckets.take("shop", Rate(3, 86_400.0)) for _ in range(2)]
        buckets.close()
    assert min(waits) > 0


def test_bytes_of_anything_are_survived(tmp_path: Path) -> None:
    noise = random.Random(7)
    path = tmp_path / "keys"
    Buckets(path).take("shop", DAILY)
    good = path.read_bytes()
    for _ in range(50):
        path.write_bytes(good[:24] + noise.randbytes(len(good) - 24))
        buckets = Buckets(path)
        assert buckets.take("shop", DAILY) >= 0.0
        buckets.close()


def test_where_no_file_can_be_each_process_counts_for_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    buckets = Buckets(tmp_path / "file" / "keys")
    assert [buckets.take("shop", Rate(1, 86_400.0)) > 0 for _ in range(2)] == [False, True]
    assert "rate limits are counted by each process for itself" in caplog.text
    buckets.close()


def test_a_folder_that_others_can_change_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "open").mkdir()
    os.chmod(tmp_path / "open", 0o777)
    buckets = Buckets(tmp_path / "open" / "keys")
    buckets.take("shop", DAILY)
    buckets.close()
    assert list((tmp_path / "open").iterdir()) == []
    assert "can be changed by others" in caplog.text


@pytest.mark.parametrize("text", ["", "5", "0/s", "-1/s", "1.5/s", "5/y", "5/s ", "\u0665/s", "9999999999/s"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(InputError, match="not a rate; got "):
        parse_rate(text)
