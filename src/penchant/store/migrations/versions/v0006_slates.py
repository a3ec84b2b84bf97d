"""Slates, what was done with them, and whose an anonymous session was; the views that attribute one to the other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0006"
down_revision: str | None = "0005"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# What was taken back or replaced does not count, nor does the taking back.
_COUNTS = "NOT EXISTS (SELECT 1 FROM superseded d WHERE d.seq = {event}.seq)"

_DAY = {
    "sqlite": "date({at} / 1000000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp({at} / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}

_SLATES = """
CREATE VIEW v_slates AS
SELECT s.id AS slate, s.at, {day} AS day, s.placement, s.policy, s.basis, s.model, s.digest, s.experiment
FROM slates s
"""

# An event that names a slate and an item of it proves that the item was shown, whatever its kind.
_IMPRESSIONS = """
CREATE VIEW v_impressions AS
SELECT i.slate, i.item, i.position, i.score, i.propensity,
       s.placement, s.policy, s.basis, s.model, s.digest, s.experiment, s.at AS served,
       CASE WHEN COALESCE(p.reported, FALSE)
            THEN (SELECT MIN(e.at) FROM events e WHERE e.slate = i.slate AND e.item = i.item AND {counts})
            ELSE s.at END AS at
FROM slate_items i
JOIN slates s ON s.id = i.slate
LEFT JOIN placements p ON p.name = s.placement
WHERE NOT COALESCE(p.reported, FALSE)
   OR EXISTS (SELECT 1 FROM events e WHERE e.slate = i.slate AND e.item = i.item AND {counts})
"""

_CLICKED = """
(SELECT MAX(c.at) FROM events c JOIN windows w ON w.kind = c.kind AND w.role = 'click'
 WHERE c.slate = x.slate AND c.item = x.item AND c.at <= x.at + w.span AND c.at <= o.at AND c.at >= o.at - o.span
   AND {counts})
"""

_MATCH = """
SELECT o.seq, o.role, o.kind, o.item, o.at, o.value, o.price, x.slate, x.position, x.placement,
       x.at AS shown, {clicked} AS clicked, o.span, 0 AS named
FROM outcomes o
{people}
JOIN v_impressions x ON x.slate = s.id AND x.item = o.item
WHERE o.slate IS NULL AND o.role = 'purchase' AND x.at <= o.at
  AND NOT EXISTS (SELECT 1 FROM consent n WHERE n.purpose = 'personalize' AND n.granted = FALSE
                  AND (n."user" = o.person OR n."user" = s."user"))
"""

# Beyond these bounds nothing is an amount of money, and squares of it would be no numbers any more.
_ATTRIBUTED = """
CREATE VIEW v_attributed AS
WITH outcomes AS (
  SELECT e.seq, e.kind, e.item, e.at, e.value, e.price, e.slate, w.role, w.span,
         COALESCE(v."user", e."user") AS person
  FROM events e JOIN windows w ON w.kind = e.kind LEFT JOIN visits v ON v.visitor = e."user"
  WHERE {counts}
), candidates AS (
  SELECT o.seq, o.role, o.kind, o.item, o.at, o.value, o.price, x.slate, x.position, x.placement,
         x.at AS shown, CAST(NULL AS BIGINT) AS clicked, o.span, 1 AS named
  FROM outcomes o JOIN v_impressions x ON x.slate = o.slate AND x.item = o.item
  WHERE o.at <= x.at + o.span
  UNION ALL
  SELECT m.seq, m.role, m.kind, m.item, m.at, m.value, m.price, m.slate, m.position, m.placement,
         m.shown, m.clicked, m.span, m.named
  FROM (
    {direct}
    UNION ALL
    {linked}
  ) m
  WHERE m.clicked IS NOT NULL OR m.shown >= m.at - m.span
), ranked AS (
  SELECT c.*, ROW_NUMBER() OVER (
    PARTITION BY c.seq
    ORDER BY CASE WHEN c.clicked IS NULL THEN 1 ELSE 0 END, c.clicked DESC, c.shown DESC, c.position, c.slate
  ) AS turn
  FROM candidates c
)
SELECT r.seq, r.role, r.kind, r.item, r.at, r.slate, r.placement, r.position, r.shown, r.clicked, r.named,
       r.value,
       CASE WHEN ABS(r.value) BETWEEN 1e-15 AND 1e15 AND ABS(COALESCE(r.price, t.price, 0)) BETWEEN 1e-15 AND 1e15
            THEN r.value * COALESCE(r.price, t.price, 0) ELSE 0 END AS revenue
FROM ranked r LEFT JOIN items t ON t.id = r.item
WHERE r.turn = 1
"""

_OUTCOMES = """
CREATE VIEW v_outcomes AS
SELECT x.*, {day} AS day,
       COALESCE(a.clicked, 0) AS clicked, COALESCE(a.bought, 0) AS bought, COALESCE(a.revenue, 0) AS revenue
FROM v_impressions x
LEFT JOIN (
  SELECT slate, item,
         MAX(CASE WHEN role = 'click' THEN 1 ELSE 0 END) AS clicked,
         MAX(CASE WHEN role = 'purchase' THEN 1 ELSE 0 END) AS bought,
         SUM(CASE WHEN role = 'purchase' THEN revenue ELSE 0 END) AS revenue
  FROM v_attributed GROUP BY slate, item
) a ON a.slate = x.slate AND a.item = x.item
"""

_DAYS = """
CREATE VIEW v_placement_days AS
SELECT placement, day, COUNT(DISTINCT slate) AS slates, COUNT(*) AS impressions,
       SUM(clicked) AS clicks, SUM(bought) AS purchases, SUM(revenue) AS revenue, COUNT(DISTINCT item) AS items,
       CAST(SUM(clicked) AS DOUBLE PRECISION) / COUNT(*) AS ctr,
       CAST(SUM(bought) AS DOUBLE PRECISION) / COUNT(*) AS conversion,
       CAST(COUNT(DISTINCT item) AS DOUBLE PRECISION)
       / NULLIF((SELECT COUNT(*) FROM items t WHERE t.available), 0) AS coverage
FROM v_outcomes GROUP BY placement, day
"""


def upgrade() -> None:
    """Add what slates need to the events, make their tables, and the views over both."""
    op.add_column("events", sa.Column("slate", _TEXT))
    op.add_column("events", sa.Column("price", sa.Double))
    named = sa.text("slate IS NOT NULL")
    op.create_index(
        "events_slate", "events", ["slate", "item", "kind", "at"], sqlite_where=named, postgresql_where=named
    )
    op.create_table(
        "visits",
        sa.Column("visitor", _TEXT, primary_key=True),
        sa.Column("user", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("visits_user", "visits", ["user"])
    _slates()
    op.create_table(
        "windows",
        sa.Column("kind", _TEXT, primary_key=True),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("span", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "placements",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("reported", sa.Boolean, nullable=False),
    )
    _views()


def _slates() -> None:
    op.create_table(
        "slates",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("placement", _TEXT, nullable=False),
        sa.Column("policy", _TEXT, nullable=False),
        sa.Column("basis", _TEXT, nullable=False),
        sa.Column("model", _TEXT, nullable=False),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("experiment", _TEXT),
        sa.Column("user", _TEXT),
    )
    op.create_index("slates_user", "slates", ["user", "at"])
    op.create_index("slates_at", "slates", ["at"])
    op.create_table(
        "slate_items",
        sa.Column("slate", _TEXT, primary_key=True),
        sa.Column("item", _TEXT, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("propensity", sa.Double, nullable=False),
    )


def _views() -> None:
    day = _DAY[op.get_bind().dialect.name]
    people = {
        "direct": 'JOIN slates s ON s."user" = o.person',
        "linked": 'JOIN visits k ON k."user" = o.person JOIN slates s ON s."user" = k.visitor',
    }
    clicked, counts = _CLICKED.format(counts=_COUNTS.format(event="c")), _COUNTS.format(event="e")
    parts = {name: _MATCH.format(clicked=clicked, people=join) for name, join in people.items()}
    for view in (
        _SLATES.format(day=day.format(at="s.at")),
        _IMPRESSIONS.format(counts=counts),
        _ATTRIBUTED.format(counts=counts, **parts),
        _OUTCOMES.format(day=day.format(at="x.at")),
        _DAYS,
    ):
        op.get_bind().exec_driver_sql(view)
