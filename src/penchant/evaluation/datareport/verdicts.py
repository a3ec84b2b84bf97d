"""Which models, placements and splits the data supports, and why."""

from __future__ import annotations

from penchant.evaluation.datareport import thresholds as limit
from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.findings import Finding, Verdict

__all__ = ["models", "placements", "splits"]

Said = tuple[Verdict, str, dict[str, float]]


def splits(facts: Facts) -> list[Finding]:
    """Return what the data says to a temporal split and to leave-last-out.

    >>> import polars as pl, penchant as pt
    >>> events = pl.DataFrame({"user": ["ann", "bob"], "item": ["tea", "tea"], "at": ["2017-01-01"] * 2})
    >>> for finding in splits(pt.data_report(events)):
    ...     print(finding)
    temporal split: no. All 2 events have the same time, so nothing is before or after: split at random or by users.
    leave-last-out: no. No user has events at two different times, so nobody has a last one.
    """
    size, ordered = facts.size, facts.learnable.ordered
    figures = {"users of the last fifth": size.recent, "of them known before": size.returning, "days": size.days}
    if size.moments == 1:
        why = (
            f"all {size.events:,} events have the same time, so nothing is before or after: split at random or by users"
        )
        temporal: Said = "no", why, {"different times": 1}
    elif not size.returning:
        why = f"none of the {size.recent:,} users of the last fifth of the time has a past: split by users (strong)"
        temporal = "no", why, figures
    else:
        enough = size.returning >= limit.ENOUGH_USERS
        why = f"{size.returning:,} of the {size.recent:,} users of the last fifth of {size.days:,.1f} days have a past"
        temporal = ("yes" if enough else "with care"), why + ("" if enough else ", so intervals will be wide"), figures
    if ordered:
        why = f"{ordered:,} users have events at two different times"
        last: Said = ("yes" if ordered >= limit.ENOUGH_USERS else "with care"), why, {"users with an order": ordered}
    else:
        last = "no", "no user has events at two different times, so nobody has a last one", {"users with an order": 0}
    return [Finding("temporal split", "evaluation", *temporal), Finding("leave-last-out", "evaluation", *last)]


def models(facts: Facts) -> list[Finding]:
    """Return what the data says to each family of models.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> {finding.subject: finding.verdict for finding in models(pt.data_report(checkerboard(8)))}["buy-again"]
    'no'
    """
    said = {
        "popular": _popular(facts),
        "trending": _trending(facts),
        "item-knn": _together(facts),
        "ease": _dense(facts),
        "sansa": _together(facts),
        "ials": _together(facts),
        "user-knn": _people(facts),
        "slist": _sequences(facts),
        "vstan": _sessions(facts),
        "buy-again": _repeats(facts),
        "matrix-factorization": _ratings(facts),
    }
    return [Finding(name, "model", *each) for name, each in said.items()]


def placements(facts: Facts) -> list[Finding]:
    """Return what the data says to the placements that ship.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> [finding.subject for finding in placements(pt.data_report(checkerboard(8)))]
    ['for-you', 'similar', 'buy-again', 'trending']
    """
    verdict, why, figures = _together(facts)
    once = facts.sessions.one
    if verdict == "no":
        popular: Verdict = "with care" if facts.learnable.events else "no"
        for_you: Said = popular, f"only what is popular can be shown, for {why}", figures
    elif once >= limit.ANONYMOUS_SHARE and facts.size.moments > 1:
        lone = f"{once:.0%} of the users come once, so what they do in the session is all there is to go by; {why}"
        for_you = "with care", lone, figures | {"users with one session": once}
    else:
        for_you = verdict, why, figures
    return [
        Finding("for-you", "placement", *for_you),
        Finding("similar", "placement", verdict, why, figures),
        Finding("buy-again", "placement", *_repeats(facts)),
        Finding("trending", "placement", *_trending(facts)),
    ]


def _popular(facts: Facts) -> Said:
    found = facts.learnable.events
    figures: dict[str, float] = {"events that say yes": found}
    if not found:
        return "no", "no event has a weight above 0", figures
    return (
        "yes",
        f"{found:,} events say yes; the top 10% of the items have {facts.items.top['10%']:.0%} of all",
        figures,
    )


def _trending(facts: Facts) -> Said:
    size = facts.size
    figures = {"days": size.days, "different times": float(size.moments)}
    if not facts.learnable.events:
        return _popular(facts)
    if size.moments == 1:
        return "no", "all times are equal, so nothing rises", figures
    if size.days < limit.TREND_DAYS:
        return "with care", f"{size.days:.1f} days are less than a week and one to compare it with", figures
    return "yes", f"{size.days:,.0f} days, {size.events / size.days:,.0f} events a day", figures


def _together(facts: Facts) -> Said:
    """Judge whether enough is known of what goes together with what."""
    found = facts.learnable
    figures = {
        "users with two learnable items": float(found.pairing),
        "share of events on learnable items": found.share,
        "median users per item": float(found.per_item),
    }
    if not found.pairing:
        return "no", f"no user has two items that at least {found.min_users} users touched", figures
    if found.share < limit.LEARNT_SHARE:
        why = (
            f"too few users per item (median {found.per_item:,}): {found.share:.0%} of the events are about the "
            f"{found.items:,} items that at least {found.min_users} users touched"
        )
        return "with care", why, figures
    why = f"{found.pairing:,} users have two or more of the {found.items:,} items that {found.min_users} users touched"
    if found.pairing < limit.ENOUGH_USERS:
        return "with care", f"only {why}", figures
    return "yes", why, figures


def _dense(facts: Facts) -> Said:
    verdict, why, figures = _together(facts)
    n = facts.learnable.items
    size = 4.0 * n * n / 1e9
    figures = figures | {"learnable items": n, "gigabytes of the inverse": size}
    if verdict != "no" and n > limit.DENSE_ITEMS:
        return "with care", f"the inverse of {n:,} items takes {size:,.1f} GB: sansa does without", figures
    return verdict, why + (f"; the inverse takes {size:,.2g} GB" if verdict == "yes" else ""), figures


def _people(facts: Facts) -> Said:
    verdict, why, figures = _together(facts)
    once = facts.sessions.one
    if verdict != "no" and once >= limit.ANONYMOUS_SHARE and facts.size.moments > 1:
        why = f"{once:.0%} of the users come once: who is not known cannot be compared, sessions can"
        return "with care", why, figures | {"users with one session": once}
    return verdict, why + ("; it holds people, so erasing one means training again" if verdict != "no" else ""), figures


def _sequences(facts: Facts) -> Said:
    ordered = facts.learnable.ordered
    figures: dict[str, float] = {"users with an order": ordered}
    if not ordered:
        return "no", "no user has events at two different times, so nothing follows on anything", figures
    verdict, why, others = _dense(facts)
    if facts.learnable.items > limit.DENSE_ITEMS and verdict != "no":
        why = f"its inverse of {facts.learnable.items:,} items takes {others['gigabytes of the inverse']:,.1f} GB"
    if verdict != "yes":
        return verdict, why, others | figures
    why = f"{ordered:,} users have events at two different times"
    return ("yes" if ordered >= limit.ENOUGH_USERS else "with care"), why, others | figures


def _sessions(facts: Facts) -> Said:
    found, size = facts.sessions, facts.size
    if not facts.learnable.events:
        return _popular(facts)
    several = found.n - found.length.once
    median = found.length.quantiles["median"]
    figures = {
        "users with one session": found.one,
        "sessions of two events or more": float(several),
        "median events per session": float(median),
    }
    if size.moments == 1:
        return "no", "all times are equal, so no session has an order and none is recent", figures
    if several < limit.ENOUGH_USERS:
        return "no", f"only {several:,} of {found.n:,} sessions have two events or more", figures
    length = "short" if median <= limit.SHORT_SESSION else "long"
    if found.one >= limit.ANONYMOUS_SHARE:
        why = f"sessions are {length} (median {median:,} events) and anonymous ({found.one:.0%} of the users have one)"
        return "yes", why, figures
    back = 1 - found.one
    why = f"{back:.0%} of the users come back, and it knows only the session under way (median {median:,} events)"
    return "with care", why, figures


def _repeats(facts: Facts) -> Said:
    found = next((each for each in facts.repeats if each.kind == "purchase"), None)
    found = found or next(iter(facts.repeats), None)
    if found is None:
        return "no", "no event has a weight above 0", {"events that say yes": 0}
    figures = {"share of pairs repeated": found.rate, "pairs repeated": float(found.repeated)}
    share = ".3%" if found.rate < limit.FEW_REPEATS else ".1%"
    what = f"of {found.pairs:,} pairs of user and item (kind {found.kind})"
    if not found.repeated:
        return "no", f"none {what} is repeated on another day, so buy-again has nothing to say", figures
    why = f"{found.repeated:,} {what} are repeated on another day ({found.rate:{share}})"
    if found.rate < limit.FEW_REPEATS or found.users * facts.size.users < limit.ENOUGH_USERS:
        return "with care", f"only {why}", figures
    return "yes", f"{why}, after {found.days:,.0f} days in the median", figures


def _ratings(facts: Facts) -> Said:
    rated = [kind for kind in facts.kinds if kind.valued and kind.distinct > 1]
    if not rated:
        valued = [kind for kind in facts.kinds if kind.valued]
        why = f"all {valued[0].events:,} ratings are {valued[0].low:g}" if valued else "there are no ratings"
        return "no", why, {"ratings": float(sum(kind.events for kind in valued))}
    kind = rated[0]
    each = kind.events / kind.users
    why = f"{kind.events:,} ratings of {kind.distinct} sizes from {kind.low:g} to {kind.high:g}, {each:.1f} a user"
    enough = kind.users >= limit.ENOUGH_USERS and each >= 2
    return ("yes" if enough else "with care"), why, {"ratings": float(kind.events), "ratings per user": each}
