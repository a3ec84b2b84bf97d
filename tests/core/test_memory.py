"""Free memory, on machines made of files."""

from __future__ import annotations

from pathlib import Path

from penchant.core.memory import free_memory

MEMINFO = "MemTotal:       4000 kB\nMemFree:         100 kB\nMemAvailable:   3000 kB\n"


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return root


def test_a_bare_machine_has_what_is_available(tmp_path: Path) -> None:
    assert free_memory(machine(tmp_path, {"proc/meminfo": MEMINFO})) == 3000 * 1024


def test_nothing_known_is_none(tmp_path: Path) -> None:
    assert free_memory(tmp_path) is None
    assert free_memory(machine(tmp_path, {"proc/meminfo": "MemTotal: 4000 kB\n"})) is None


def test_the_tightest_control_group_above_counts(tmp_path: Path) -> None:
    group = "sys/fs/cgroup"
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "0::/shop/app\n",
        f"{group}/shop/app/memory.max": "max\n",
        f"{group}/shop/app/memory.current": "500000\n",
        f"{group}/shop/memory.max": "1000000\n",
        f"{group}/shop/memory.current": "900000\n",
        f"{group}/shop/memory.stat": "anon 1\ninactive_file 50000\n",
    }
    assert free_memory(machine(tmp_path, files)) == 150_000


def test_the_first_version_of_control_groups_counts_too(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "5:memory:/docker/abc\n4:cpu:/docker/abc\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "2500000\n",
    }
    assert free_memory(machine(tmp_path, files)) == 0


def test_this_machine_has_some() -> None:
    free = free_memory()
    assert free is None or free > 0
