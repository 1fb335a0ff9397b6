import assert from "node:assert/strict";
import { test } from "node:test";

import { SETTINGS, score } from "./score.js";

test("spend, tenure and payments count", () => {
  assert.equal(score({ spend: 20000, tenureDays: 3650 }, SETTINGS), 100);
  assert.equal(score({ spend: 5000, tenureDays: 365, latePayments: 1 }, SETTINGS), 19);
  assert.equal(score({ spend: 0, tenureDays: 0, latePayments: 3 }, SETTINGS), 0);
});

test("a rule may set what full spend is", () => {
  assert.equal(score({ spend: 1000, tenureDays: 0 }, { full_spend: 1000 }), 60);
});
