// The plugin: columns to steps on the path, and to promise. What these are stands in path.js.

import { DEFAULTS, STEPS, promise, step } from "./path.js";

const number = (name, doc, nullable = false) => ({ name, accepts: { tag: "number" }, nullable, doc });
const setting = (name, doc) => ({ name, settingType: "number", required: false, doc });

const STAYS = [
  number("stays", "stays ever"),
  number("nights_12m", "nights in 12 months"),
  number("nights_36m", "nights in 36 months"),
  number("spend_12m", "spend in 12 months"),
  { name: "before", accepts: { tag: "exactly", val: { tag: "text" } }, nullable: true, doc: "the step of the last run, if there is one" },
];
const WEB = [
  number("views", "pages viewed on the web site in 6 months"),
  number("wishes", "wish lists and price alerts"),
  number("bookings", "bookings begun"),
  number("days_since_visit", "days since the last visit of the web site; none for a guest who was never there", true),
  number("nights_12m", "nights in 12 months"),
  number("suites", "nights in suites ever"),
];

export const plugin = {
  describe: () => ({
    name: "hotel-path",
    version: "1.0.0",
    doc: "Hotel guests: the path from potential to loyal, and who is promising",
    functions: [
      {
        name: "path",
        kind: "segmenter",
        inputs: STAYS,
        output: { tag: "text" },
        settings: Object.keys(DEFAULTS).map((name) => setting(name, `${DEFAULTS[name]} without it`)),
        doc: `the step: ${STEPS.join(", ")}`,
      },
      {
        name: "promise",
        kind: "scorer",
        inputs: WEB,
        output: { tag: "real" },
        settings: [],
        doc: "0 to 100: interest on the web site, and first stays",
      },
    ],
    lookups: [],
  }),
};

// The value of a column in a row, undefined where there is none.
const has = (column, row) => !column.valid || (column.valid[row >> 3] >> (row & 7)) & 1;

// UTF-8 to a text. QuickJS has no TextDecoder.
const decode = (bytes) => decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));

// All texts of a column.
function texts(column) {
  const { offsets, bytes } = column.values.val;
  return Array.from({ length: offsets.length - 1 }, (_, row) =>
    has(column, row) ? decode(bytes.slice(offsets[row], offsets[row + 1])) : undefined,
  );
}

export const segmenter = {
  segment(call, rows, inputs) {
    const settings = { ...DEFAULTS, ...JSON.parse(call.config || "{}") };
    const [stays, nights12m, nights36m, spend12m] = inputs.map((column) => column.values.val);
    const before = texts(inputs[4]);
    const ofRows = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      const guest = {
        stays: stays[row],
        nights12m: nights12m[row],
        nights36m: nights36m[row],
        spend12m: spend12m[row],
        before: before[row],
      };
      ofRows[row] = STEPS.indexOf(step(guest, settings));
    }
    return { labels: STEPS, ofRows };
  },
};

export const scorer = {
  score(_call, rows, inputs) {
    const [views, wishes, bookings, daysSinceVisit, nights12m, suites] = inputs.map((column) => column.values.val);
    const scores = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      scores[row] = promise({
        views: views[row],
        wishes: wishes[row],
        bookings: bookings[row],
        daysSinceVisit: has(inputs[3], row) ? daysSinceVisit[row] : Infinity,
        nights12m: nights12m[row],
        suites: suites[row],
      });
    }
    return { values: { tag: "reals", val: scores }, valid: undefined };
  },
};
