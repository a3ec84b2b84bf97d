"""How much memory this process may still take."""

from __future__ import annotations

from pathlib import Path

__all__ = ["free_memory"]

_CURRENT = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
"The limit of a control group and what is used of it: version 2, version 1."


def free_memory(root: str | Path = "/") -> int | None:
    """Return the bytes that are free on this machine, or in its control group where that is less; None: unknown.

    >>> free_memory("/no such place") is None
    True

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    place = Path(root)
    groups = place / "sys" / "fs" / "cgroup"
    known = [_available(place / "proc" / "meminfo")]
    known += [_left(group, *names) for group in _groups(place, groups) for names in _CURRENT]
    return min((value for value in known if value is not None), default=None)


def _groups(place: Path, groups: Path) -> list[Path]:
    """Return the control groups that this process may be in: the root, its own, and all between."""
    lines = (_text(place / "proc" / "self" / "cgroup") or "").splitlines()
    found = {groups, groups / "memory"}
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds in ("", "memory"):
            top = groups / kinds
            own = top / path.lstrip("/")
            found |= {own, *(parent for parent in own.parents if parent.is_relative_to(top))}
    return sorted(found)


def _available(meminfo: Path) -> int | None:
    for line in (_text(meminfo) or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _left(group: Path, limit: str, used: str) -> int | None:
    """Return what is left below the limit of a group, counting what its files have cached as free."""
    most, taken = _text(group / limit), _text(group / used)
    if most is None or taken is None or not most.strip().isdigit():
        return None
    fields = dict(line.split() for line in (_text(group / "memory.stat") or "").splitlines())
    return max(0, int(most) - int(taken) + int(fields.get("inactive_file", 0)))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return None
