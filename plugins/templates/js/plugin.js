// The plugin: what it offers, and columns to scores. What a score is stands in score.js; the contract is wit/v1.

import { SETTINGS, score } from "./score.js";

const number = (name, nullable, doc) => ({ name, accepts: { tag: "number" }, nullable, doc });

export const plugin = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    doc: "A score of customers by spend, tenure and late payments",
    functions: [
      {
        name: "score",
        kind: "scorer",
        inputs: [
          number("spend", false, "of the last year"),
          number("tenure_days", false, "days since the customer joined"),
          number("late_payments", true, "of the last year; none counts as 0"),
        ],
        output: { tag: "real" },
        settings: [
          { name: "full_spend", settingType: "number", required: false, doc: "spend that gives all points for spending" },
        ],
        doc: "0 to 100",
      },
    ],
    lookups: [],
  }),
};

// Whether a column has a value in a row.
const has = (column, row) => !column.valid || (column.valid[row >> 3] >> (row & 7)) & 1;

export const scorer = {
  score(call, rows, inputs) {
    const settings = { ...SETTINGS, ...JSON.parse(call.config || "{}") };
    const [spend, tenureDays, latePayments] = inputs.map((column) => column.values.val);
    const scores = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const customer = {
        spend: spend[row],
        tenureDays: tenureDays[row],
        latePayments: has(inputs[2], row) ? latePayments[row] : undefined,
      };
      scores[row] = score(customer, settings);
    }
    return { values: { tag: "reals", val: scores }, valid: undefined };
  },
};
