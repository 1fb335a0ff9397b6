import assert from "node:assert/strict";
import { test } from "node:test";

import { DEFAULTS, promise, step } from "./path.js";

const guest = (figures) => ({ stays: 1, nights12m: 0, nights36m: 0, spend12m: 0, before: undefined, ...figures });
const at = (figures) => step(guest(figures), DEFAULTS);

test("a first run places everybody by figures alone", () => {
  assert.equal(at({ stays: 0 }), "potential");
  assert.equal(at({}), "new");
  assert.equal(at({ nights12m: 10 }), "important");
  assert.equal(at({ spend12m: 20000 }), "important");
  assert.equal(at({ nights12m: 25, nights36m: 40 }), "loyal");
  assert.equal(at({ nights12m: 25, nights36m: 39 }), "important");
});

test("nobody becomes loyal without having been important", () => {
  const heavy = { nights12m: 30, nights36m: 50 };
  assert.equal(at({ ...heavy, before: "new" }), "important");
  assert.equal(at({ ...heavy, before: "potential" }), "important");
  assert.equal(at({ ...heavy, before: "important" }), "loyal");
});

test("a quiet year costs one step", () => {
  assert.equal(at({ before: "loyal" }), "important");
  assert.equal(at({ before: "important" }), "new");
});

test("who has stayed is never potential again", () => {
  assert.equal(at({ before: "potential" }), "new");
  assert.equal(at({ before: "new" }), "new");
});

test("settings move a step", () => {
  assert.equal(step(guest({ nights12m: 5 }), { ...DEFAULTS, important_nights: 5 }), "important");
});

test("interest fades, stays don't", () => {
  const eager = { views: 10, wishes: 2, bookings: 1, daysSinceVisit: 0, nights12m: 0, suites: 0 };
  const lately = promise(eager);
  assert.ok(lately > 35 && lately < 50);
  assert.ok(promise({ ...eager, daysSinceVisit: 90 }) < lately / 2);
  assert.equal(promise({ ...eager, daysSinceVisit: Infinity }), 0);
  assert.equal(promise({ ...eager, daysSinceVisit: Infinity, nights12m: 20, suites: 1 }), 50);
});
