"""A weighted scorecard: what customers do gives points, or takes some away.

The points of a customer are the sum of criteria. A criterion looks at one figure, and gives

    {"of": "annual_spend", "steps": [[5000, 15], [10000, 30]]}     the points of the highest step that is reached
    {"of": "usual_gap_days", "below": [[30, 25]]}                  the points of the lowest limit that isn't exceeded
    {"of": "orders", "each": 1, "most": 20}                        so many for each one, and no more than `most` altogether
"""

FIGURES = {
    "annual_spend": "spend of 12 months",
    "usual_gap_days": "mean days between purchases; none for who bought once",
    "orders": "orders of 12 months",
    "years": "whole years since joining",
    "complaints": "complaints of 12 months",
    "refunds": "refunds of 12 months",
}

# At most 100 points: 30 + 25 + 20 + 25.
DEFAULT = [
    {"of": "annual_spend", "steps": [[5000, 15], [10000, 30]]},
    {"of": "usual_gap_days", "below": [[30, 25]]},
    {"of": "orders", "each": 1, "most": 20},
    {"of": "years", "each": 5, "most": 25},
    {"of": "complaints", "each": -10},
    {"of": "refunds", "each": -5},
]


class Mistake(ValueError):
    """What a rule says of its criteria can't be meant."""


def check(criteria):
    """The criteria as given, each of a shape that `points` knows."""
    if not isinstance(criteria, list):
        raise Mistake("criteria must be a list")
    for number, criterion in enumerate(criteria, 1):
        if not isinstance(criterion, dict) or criterion.get("of") not in FIGURES:
            raise Mistake(f"criterion {number}: `of` must be one of {', '.join(FIGURES)}")
        kinds = [key for key in ("steps", "below", "each") if key in criterion]
        if len(kinds) != 1:
            raise Mistake(f"criterion {number}: one of `steps`, `below` and `each` is needed")
        if unknown := set(criterion) - {"of", kinds[0], *(["most"] if kinds == ["each"] else [])}:
            raise Mistake(f"criterion {number}: `{min(unknown)}` isn't known")
        if not all(map(is_number, numbers(criterion, kinds[0]))):
            raise Mistake(f"criterion {number}: numbers are needed")
    return criteria


def numbers(criterion, kind):
    if kind == "each":
        return [criterion["each"], criterion.get("most", 0)]
    steps = criterion[kind]
    pairs = isinstance(steps, list) and steps and all(isinstance(step, list) and len(step) == 2 for step in steps)
    return [number for step in steps for number in step] if pairs else [None]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def score(figures, criteria):
    """The points of one customer. A figure that is None gives none."""
    return float(sum(points(figures[criterion["of"]], criterion) for criterion in criteria))


def points(figure, criterion):
    if figure is None:
        return 0
    if "steps" in criterion:
        reached = [step for step in criterion["steps"] if figure >= step[0]]
        return max(reached)[1] if reached else 0
    if "below" in criterion:
        kept = [step for step in criterion["below"] if figure <= step[0]]
        return min(kept)[1] if kept else 0
    return min(criterion["each"] * figure, criterion.get("most", float("inf")))
