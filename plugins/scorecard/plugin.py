"""The plugin: columns to points. What gives points stands in card.py."""

import json

import card
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.plugin import Accepts_Number, Description, Function, Input, Kind, Setting, SettingType
from wit_world.imports.types import Column, Failure, ValueType_Real, Values_Reals


class Plugin(exports.Plugin):
    def describe(self):
        inputs = [Input(name, Accepts_Number(), True, doc) for name, doc in card.FIGURES.items()]
        criteria = Setting("criteria", SettingType.ANY, False, "what gives points: a list; see README.md")
        score = Function("score", Kind.SCORER, inputs, ValueType_Real(), [criteria], "points, also fewer than 0")
        return Description("scorecard", "1.0.0", "A weighted scorecard", [score], [])


class Scorer(exports.Scorer):
    def score(self, call, rows, inputs):
        try:
            criteria = card.check(json.loads(call.config or "{}").get("criteria", card.DEFAULT))
        except card.Mistake as mistake:
            raise Err(Failure(None, str(mistake)))
        columns = [values(column, rows) for column in inputs]
        names = list(card.FIGURES)
        scores = [card.score(dict(zip(names, row)), criteria) for row in zip(*columns)]
        return Column(Values_Reals(scores), None)


def values(column, rows):
    """The values of a column, None where there is none."""
    numbers, valid = column.values.value, column.valid
    if valid is None:
        return numbers
    return [numbers[row] if valid[row // 8] >> row % 8 & 1 else None for row in range(rows)]
