"""The plugin: what it offers, and columns to scores. What a score is stands in score.py; the contract is wit/v1."""

import json

from score import SETTINGS, score
from wit_world import exports
from wit_world.exports.plugin import Accepts_Number, Description, Function, Input, Kind, Setting, SettingType
from wit_world.imports.types import Column, ValueType_Real, Values_Reals


class Plugin(exports.Plugin):
    def describe(self):
        inputs = [
            Input("spend", Accepts_Number(), False, "of the last year"),
            Input("tenure_days", Accepts_Number(), False, "days since the customer joined"),
            Input("late_payments", Accepts_Number(), True, "of the last year; none counts as 0"),
        ]
        settings = [Setting("full_spend", SettingType.NUMBER, False, "spend that gives all points for spending")]
        function = Function("score", Kind.SCORER, inputs, ValueType_Real(), settings, "0 to 100")
        doc = "A score of customers by spend, tenure and late payments"
        return Description("{{name}}", "0.1.0", doc, [function], [])


class Scorer(exports.Scorer):
    def score(self, call, rows, inputs):
        settings = SETTINGS | json.loads(call.config or "{}")
        columns = [values(column, rows) for column in inputs]
        return Column(Values_Reals([score(*row, settings) for row in zip(*columns)]), None)


def values(column, rows):
    """The values of a column, None where there is none."""
    numbers, valid = column.values.value, column.valid
    if valid is None:
        return numbers
    return [numbers[row] if valid[row // 8] >> row % 8 & 1 else None for row in range(rows)]
