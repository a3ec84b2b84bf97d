"""What the server itself says and reads, beside the engine's questions and answers."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Agreement", "Alive", "Consent", "Linked", "Problem", "SessionAgreement", "SessionUser", "Stored"]


class Problem(Struct, frozen=True):
    """What every error looks like.

    >>> Problem("not_found", "no such route; got /v2").field is None
    True
    """

    code: str
    "Stable; made for programs."
    message: str
    "What is wrong, what was got, what is allowed, what to do next; made for people."
    field: str | None = None
    "The part of the request that is meant, such as [3].value."


class Stored(Struct, frozen=True):
    """How many items were put into the catalogue.

    >>> Stored(1).stored
    1
    """

    stored: int
    "Items that are in the catalogue now as they were sent."


class Consent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person agreed to, or took back.

    >>> Consent(purposes=("personalize",), granted=True, basis="form of 2026-11-01").granted
    True
    """

    purposes: tuple[str, ...]
    "What the history may be used for: personalize, train."
    granted: bool
    "True for a yes, False for a no."
    basis: str
    "How it is known: which form, which version of the text."


class Agreement(Struct, frozen=True):
    """What holds for a person now.

    >>> Agreement("900", {"personalize": True}).consent
    {'personalize': True}
    """

    user: str
    "Whose."
    consent: dict[str, bool]
    "Purpose to whether the history may be used for it."


class Alive(Struct, frozen=True):
    """The process answers.

    >>> Alive().status
    'alive'
    """

    status: str = "alive"
    "Always alive: a dead process says nothing."


class SessionUser(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who signed in.

    >>> SessionUser(user="900").user
    '900'
    """

    user: str
    "The id of the person."


class Linked(Struct, frozen=True):
    """Whose a session is.

    >>> Linked("s1", "900").user
    '900'
    """

    session: str
    "The session."
    user: str
    "The person."


class SessionAgreement(Struct, frozen=True):
    """What was recorded of the visitor of a session.

    >>> SessionAgreement("s1", {"personalize": True}).consent
    {'personalize': True}
    """

    session: str
    "Which session."
    consent: dict[str, bool]
    "Purpose to whether the events may be used for it."
