"""What personal data may be used for; each use needs its own yes."""

from __future__ import annotations

from enum import StrEnum

from penchant.core.errors import UnknownName

__all__ = ["Purpose", "purpose"]


class Purpose(StrEnum):
    """A use of personal data.

    >>> Purpose("train").scope, Purpose("access").asked
    ('admin', False)
    """

    TRAIN = "train"
    "Learning item models from what people did together."
    PERSONALIZE = "personalize"
    "Answering one person from their own history."
    ACCESS = "access"
    "Showing people their own data; that is their right, so it needs no consent, only the right to ask."

    @property
    def scope(self) -> str:
        """What an actor must hold to read for this purpose."""
        return {"train": "admin", "personalize": "recommend:read", "access": "users:read"}[self.value]

    @property
    def asked(self) -> bool:
        """Whether people are asked for their consent to it."""
        return self is not Purpose.ACCESS


def purpose(name: str) -> Purpose:
    """Return the purpose of that name which people can agree to.

    >>> purpose("train")
    <Purpose.TRAIN: 'train'>

    Raises:
        UnknownName: there is none that people are asked about.
    """
    known = {each.value: each for each in Purpose if each.asked}
    if name not in known:
        raise UnknownName.of("purpose", name, known, field="purpose")
    return known[name]
