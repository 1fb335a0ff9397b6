import assert from "node:assert/strict";
import { test } from "node:test";

import { plugin, scorer, segmenter } from "./plugin.js";

const reals = (...values) => ({ values: { tag: "reals", val: Float64Array.from(values) } });

function texts(...values) {
  const encoded = values.map((value) => Buffer.from(value));
  const offsets = Uint32Array.from([0, ...encoded.map((_, i) => encoded.slice(0, i + 1).reduce((sum, e) => sum + e.length, 0))]);
  return { values: { tag: "texts", val: { offsets, bytes: Uint8Array.from(Buffer.concat(encoded)) } } };
}

test("every function is given what it says it takes", () => {
  assert.deepEqual(plugin.describe().functions.map(({ name, inputs }) => [name, inputs.length]), [["path", 5], ["promise", 6]]);
});

test("labels come by row, and rows without a step before are placed by figures alone", () => {
  const before = { ...texts("重要", "important", "loyal"), valid: Uint8Array.of(0b011) };
  const columns = [reals(3, 3, 3), reals(30, 30, 0), reals(50, 50, 0), reals(0, 0, 0), before];
  const { labels, ofRows } = segmenter.segment({ config: '{"loyal_nights": 30}' }, 3, columns);
  // A step of that name there is not: it counts as none.
  assert.deepEqual(Array.from(ofRows, (index) => labels[index]), ["loyal", "loyal", "new"]);
});

test("who was never on the web site has no days since", () => {
  const days = { ...reals(0, 0), valid: Uint8Array.of(0b10) };
  const { values } = scorer.score({}, 2, [reals(9, 9), reals(0, 0), reals(0, 0), days, reals(0, 0), reals(0, 0)]);
  assert.equal(values.val[0], 0);
  assert.ok(values.val[1] > 10);
});
