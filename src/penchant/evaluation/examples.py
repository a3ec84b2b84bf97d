"""What some people were shown, and why: slates of two models side by side, with the addends of every score."""

from __future__ import annotations

from msgspec import Struct

from penchant.core.nouns import Reason

__all__ = ["AVERAGES", "Example", "Examples", "Gap", "Given", "Shown"]

AVERAGES = "averages alone"
"What a slate is called that holds what a model of ratings says of items before it has seen any history."


class Given(Struct, frozen=True):
    """One item of a slate.

    >>> item = Given("Green tea", 0.5, True, (Reason("purchase", "mug", 0.3), Reason("popular", "ease", 0.2)))
    >>> item.sum
    0.5
    """

    title: str
    "What it is called; its id where the catalogue has no title."
    score: float | None
    "What ranked it; None when the model does not say."
    hit: bool
    "Whether the person took it in the test."
    reasons: tuple[Reason, ...] = ()
    "The addends of the score, strongest first; the weakest together. Empty when the model gives none."
    actual: float | None = None
    "What the person rated it in the test, where ratings are foreseen."

    @property
    def sum(self) -> float:
        """What the reasons add up to."""
        return sum(reason.weight for reason in self.reasons)

    @property
    def adds_up(self) -> bool:
        """Whether the reasons come to the score, as far as float32 can tell."""
        if self.score is None or not self.reasons:
            return True
        size = max(abs(self.score), *(abs(reason.weight) for reason in self.reasons))
        return abs(self.sum - self.score) <= 1e-4 * max(size, 1e-6)


class Shown(Struct, frozen=True):
    """The slate that a model gave a person.

    >>> Shown("ease", (Given("Green tea", 0.5, True),)).hits
    1
    """

    model: str
    "Which one."
    items: tuple[Given, ...]
    "Best first; empty slots are left out."
    why: str | None = None
    "Why there are no reasons."

    @property
    def hits(self) -> int:
        """How many of the items the person took in the test."""
        return sum(item.hit for item in self.items)

    @property
    def off(self) -> float | None:
        """How far what was foreseen lies from what was rated, on average; None where nothing was.

        >>> Shown("stars", (Given("Tea", 4.5, False, actual=5.0), Given("Jam", None, False, actual=1.0))).off
        0.5
        """
        pairs = [(item.score, item.actual) for item in self.items]
        errors = [abs(score - actual) for score, actual in pairs if score is not None and actual is not None]
        return sum(errors) / len(errors) if errors else None


class Example(Struct, frozen=True):
    """One person, what is known of them, what they took, and what each model would have shown them.

    >>> Example("user 1", 3, "0.50", ("Tea",), 5, ("Milk",), 1, ()).user
    'user 1'
    """

    user: str
    "A number, or the real id when that was asked for."
    place: int
    "How many items the history holds."
    quantile: str
    "Where that lies among all users."
    history: tuple[str, ...]
    "Titles of the latest items, the latest first."
    events: int
    "How many events the history has."
    wanted: tuple[str, ...]
    "Titles of what they took in the test, as far as the task asks for it."
    more: int
    "How many of these are not named."
    slates: tuple[Shown, ...]
    "One for each model."

    def of(self, *models: str) -> tuple[Shown, ...]:
        """Return the slates of some models, in this order."""
        known = {shown.model: shown for shown in self.slates}
        return tuple(known[model] for model in models if model in known)


class Gap(Struct, frozen=True):
    """How far the reasons of a model are from the score they belong to.

    >>> Gap("odd", "Green tea", 0.5, 0.4).model
    'odd'
    """

    model: str
    title: str
    score: float
    sum: float


class Examples(Struct, frozen=True):
    """Some people, chosen by a rule that does not know how well any model did.

    >>> Examples("By lot.", ()).gaps()
    ()
    """

    rule: str
    "How they were chosen."
    people: tuple[Example, ...]
    "Shortest history first."
    named: bool = False
    "Whether ``user`` holds real ids."

    def gaps(self) -> tuple[Gap, ...]:
        """Return, a model, the first item whose reasons do not come to its score."""
        found: dict[str, Gap] = {}
        for person in self.people:
            for shown in person.slates:
                for item in shown.items:
                    if not item.adds_up and item.score is not None:
                        found.setdefault(shown.model, Gap(shown.model, item.title, item.score, item.sum))
        return tuple(found.values())
