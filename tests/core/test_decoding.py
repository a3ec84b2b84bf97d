"""Reading into types by many threads at once, in a process of its own: a fault of it would end the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
import threading
import msgspec
from penchant.core.decoding import convert, decode, unpack

read = {
    "decode": lambda kind: decode(b'{"inner": {"names": ["a"], "n": 3}}', kind),
    "unpack": lambda kind: unpack(msgspec.msgpack.encode({"inner": {"names": ["a"], "n": 3}}), kind),
    "convert": lambda kind: convert({"inner": {"names": ["a"], "n": 3}}, kind),
    "msgspec": lambda kind: msgspec.json.decode(b'{"inner": {"names": ["a"], "n": 3}}', type=kind),
}[sys.argv[1]]
sys.setswitchinterval(1e-6)

def once(kind, start, found):
    start.wait()
    found.append(read(kind).inner.n)

for number in range(100):
    inner = msgspec.defstruct("Inner", [("names", list[str]), ("n", int)])
    outer = msgspec.defstruct("Outer", [("inner", inner), ("more", list[inner] | None, None)])
    start, found = threading.Barrier(8), []
    threads = [threading.Thread(target=once, args=(outer, start, found)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 8
print("done")
"""


@pytest.mark.parametrize("way", ["decode", "unpack", "convert"])
def test_threads_that_read_a_type_for_the_first_time_at_once_all_read_it(way):
    ran = subprocess.run([sys.executable, "-c", CODE, way], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "done\n", "")
