"""What in the data is to be mended, or kept in mind."""

from __future__ import annotations

from collections.abc import Callable

from penchant.evaluation.datareport import thresholds as limit
from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.findings import Finding, Verdict

__all__ = ["concerns"]


def concerns(facts: Facts) -> list[Finding]:
    """Return what is wrong, or worth knowing, about the data itself; none when nothing is.

    >>> import polars as pl, penchant as pt
    >>> events = pl.DataFrame({"user": ["ann"] * 4, "item": ["tea"] * 4, "at": ["2017-01-01"] * 4})
    >>> for finding in concerns(pt.data_report(events)):
    ...     print(finding)
    users: no. All 4 events are of one user, and what one does says nothing of another.
    items: no. All 4 events are about one item, and there is nothing to choose from.
    duplicates: with care. 3 events (75.0%) equal another one: give events ids, or drop the copies.
    catalogue: with care. There is none, so slates show ids, and no filter by category or price works.
    """
    checks: tuple[Callable[[Facts], list[Finding]], ...] = (_refused, _alone, _kinds, _suspects, _catalogue, _drift)
    return [finding for check in checks for finding in check(facts)]


def _of(subject: str, verdict: Verdict, why: str, **figures: float) -> list[Finding]:
    return [Finding(subject, "data", verdict, why, {name.replace("_", " "): n for name, n in figures.items()})]


def _refused(facts: Facts) -> list[Finding]:
    if facts.reading is None or facts.reading.read == facts.reading.accepted:
        return []
    refused = facts.reading.read - facts.reading.accepted
    share = refused / facts.reading.read
    if share < limit.REJECTED_SHARE:
        return []
    said = ", ".join(f"{count:,} {reason}" for reason, count in facts.reading.reasons.items())
    why = f"{refused:,} of {facts.reading.read:,} rows ({share:.1%}) cannot be used: {said}"
    return _of("rows", "with care", why, refused_rows=refused, share_refused=share)


def _alone(facts: Facts) -> list[Finding]:
    size, found = facts.size, []
    if size.users == 1:
        why = f"all {size.events:,} events are of one user, and what one does says nothing of another"
        found += _of("users", "no", why, users=1)
    elif size.users < limit.ENOUGH_USERS:
        found += _of(
            "users", "with care", f"{size.users:,} users are few: every figure here is rough", users=size.users
        )
    if size.items == 1:
        why = f"all {size.events:,} events are about one item, and there is nothing to choose from"
        found += _of("items", "no", why, items=1)
    return found


def _kinds(facts: Facts) -> list[Finding]:
    found: list[Finding] = []
    unknown = [kind for kind in facts.kinds if not kind.known]
    if unknown:
        share = sum(kind.share for kind in unknown)
        names = ", ".join(kind.name for kind in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        why = f"{len(unknown)} kinds ({share:.1%} of the events) have no weight and count 1: {names}"
        found += _of("kinds", "with care", why, kinds_without_weight=len(unknown), share_of_events=share)
    below = sum(kind.below for kind in facts.kinds)
    if below:
        share = below / facts.size.events
        why = f"{below:,} events ({share:.1%}) have a value of 0 or less: 0 counts for nothing, less as a no"
        found += _of("values", "with care", why, events_not_above_0=below, share_of_events=share)
    return found


def _suspects(facts: Facts) -> list[Finding]:
    named = {each.name: each for each in facts.suspicions}
    found: list[Finding] = []
    copies, bots = named["duplicates"], named["any"]
    if copies.share >= limit.DUPLICATE_SHARE:
        why = f"{copies.events:,} events ({copies.share:.1%}) equal another one: give events ids, or drop the copies"
        found += _of("duplicates", "with care", why, copies=copies.events, share_of_events=copies.share)
    if bots.users:
        what = {"rates": "too fast", "large": "too large", "regular": "too regular"}
        said = ", ".join(f"{named[name].users:,} {words}" for name, words in what.items() if named[name].users)
        verdict: Verdict = "with care" if bots.share >= limit.SUSPECT_SHARE else "yes"
        few = "" if verdict == "with care" else ", which is little"
        count = "1 user acts" if bots.users == 1 else f"{bots.users:,} users act"
        why = f"{count} like a machine or a business ({said}), with {bots.share:.1%} of the events{few}"
        found += _of("suspect users", verdict, why, users=bots.users, share_of_events=bots.share)
    return found


def _catalogue(facts: Facts) -> list[Finding]:
    told = facts.catalogue
    if told is None:
        why = "there is none, so slates show ids, and no filter by category or price works"
        return _of("catalogue", "with care", why, items=0)
    found: list[Finding] = []
    if told.unknown:
        why = f"{told.unknown:,} items with {told.unknown_events:.1%} of the events are not in it"
        found += _of("catalogue", "with care", why, unknown_items=told.unknown, share_of_events=told.unknown_events)
    if told.untouched:
        share = told.untouched / told.items
        why = f"{told.untouched:,} of its {told.items:,} items ({share:.0%}) have no event: models of events skip them"
        found += _of("new items", "with care", why, items_without_event=told.untouched, share_of_items=share)
    lacking = [each for each in told.fields if each.share >= limit.MISSING_SHARE]
    if lacking:
        said = ", ".join(f"{each.field} ({each.share:.0%})" for each in lacking[:6])
        more = f" and {len(lacking) - 6} more" if len(lacking) > 6 else ""
        why = f"these are missing from many items: {said}{more}"
        found += _of("attributes", "with care", why, fields_missing=len(lacking), worst_share=lacking[0].share)
    return found


def _drift(facts: Facts) -> list[Finding]:
    drift = facts.drift
    worst: dict[str, tuple[float, int]] = {}
    for change in drift.changes:
        for shift in change.shifts:
            if shift.level != "stable" and shift.psi > worst.get(shift.what, (0.0, 0))[0]:
                worst[shift.what] = shift.psi, change.window
    newest = max(drift.changes, key=lambda change: change.new, default=None)
    if newest is not None and newest.new >= limit.NEW_SHARE:
        share = f"{newest.new:.0%} of the events of window {newest.window}"
        why = f"{share} are about items that the window before had none of: train often"
        return _of("turnover", "with care", why, share_of_new=newest.new) + _changed(worst)
    return _changed(worst)


def _changed(worst: dict[str, tuple[float, int]]) -> list[Finding]:
    """Return what is said of the largest index of each distribution that is not stable."""
    if not worst:
        return []
    words = {"kinds": "the kinds of event", "items": "what is popular", "activity": "how active users are"}
    said = ", ".join(f"{words[what]} (PSI {psi:.2f} in window {n})" for what, (psi, n) in worst.items())
    large = max(psi for psi, _ in worst.values()) >= limit.PSI_LARGE
    advice = "train often, and let old events fade (half_life)" if large else "watch it"
    found = {f"psi_of_{what}": psi for what, (psi, _) in worst.items()}
    return _of("drift", "with care", f"{said} changed from a window to the next: {advice}", **found)
