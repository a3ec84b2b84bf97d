"""Where a figure of the data report begins to mean something. Change none without saying why."""

from __future__ import annotations

__all__ = [
    "ANONYMOUS_SHARE",
    "DENSE_ITEMS",
    "DRIFT_EVENTS",
    "DUPLICATE_SHARE",
    "ENOUGH_USERS",
    "FEW_REPEATS",
    "IDLE",
    "LARGE_SHARE",
    "LARGE_TIMES",
    "LEARNT_SHARE",
    "MIN_USERS",
    "MISSING_SHARE",
    "NEW_SHARE",
    "PSI_COUNT",
    "PSI_LARGE",
    "PSI_MODERATE",
    "RATE_MOMENTS",
    "RATE_SECONDS",
    "RECENT",
    "REGULAR_CV",
    "REGULAR_GAPS",
    "REJECTED_SHARE",
    "SHORT_SESSION",
    "SUSPECT_SHARE",
    "TREND_DAYS",
    "WINDOWS",
]

IDLE = 30.0
"Minutes without an event that end a session: the habit of web analytics; Catledge and Pitkow (1995) found 25.5."

DUPLICATE_SHARE = 0.01
"Share of exact duplicates from which they are worth a word."

RATE_MOMENTS, RATE_SECONDS = 60, 60
"More than so many different moments of one user within so many seconds are faster than a hand."

LARGE_SHARE, LARGE_TIMES = 0.01, 10.0
"A user is large above this share of all events, when that is also above so many times the mean user's."

REGULAR_GAPS, REGULAR_CV = 20, 0.1
"""Of at least so many gaps between a user's moments, a standard deviation below this share of the mean is a clock's.
What people do comes in bursts, with a deviation above the mean (Barabasi, Nature 2005; Goh and Barabasi, EPL 2008)."""

SUSPECT_SHARE = 0.05
"Share of events of suspect users from which they distort what is learnt."

REJECTED_SHARE = 0.05
"Share of refused rows from which the reading itself is in doubt."

MISSING_SHARE = 0.2
"Share of items without a field from which it cannot be relied on."

PSI_MODERATE, PSI_LARGE = 0.10, 0.25
"""Below the first: little change; from the second: a large one. The usual rule of thumb (Lewis, An Introduction to
Credit Scoring, 1994; Siddiqi, Credit Risk Scorecards, 2006). It knows no sample size, hence the value of chance
beside it (Yurdakul and Naranjo, Journal of Risk Model Validation 14(4), 2020)."""

PSI_COUNT = 100
"Items with at least so many events in two windows together are bins of their own; all others are one bin."

NEW_SHARE = 0.2
"Share of a window's events that are about items the window before had none of, from which models age fast."

DRIFT_EVENTS = 100
"Events that a window needs to be compared."

WINDOWS = 4
"Windows of equal length that the time is cut into."

RECENT = 0.2
"The last part of the time: who acts in it and acted before can be tested on a temporal split."

MIN_USERS = 5
"Items that fewer users touched are not learnt, as `train.min_users` has it."

LEARNT_SHARE = 0.5
"Share of liking events that should fall on items with enough users."

ENOUGH_USERS = 100
"Users, of a kind that a model needs, below which it is a guess and intervals are wide."

DENSE_ITEMS = 20_000
"Items up to which a dense inverse is a matter of minutes: 4 n^2 bytes are 1.6 GB here."

ANONYMOUS_SHARE = 0.8
"Share of users with one session from which users are as good as sessions."

SHORT_SESSION = 10
"Median events of a session up to which it is short."

FEW_REPEATS = 0.01
"Share of pairs of user and item that are repeated on another day, below which repeats are rare."

TREND_DAYS = 14.0
"Days that a trend needs: a week, and one to compare it with."
