#!/usr/bin/env python3
"""Computes every customer's metrics, scores and levels from CDNOW_master.txt, and compares them with what tierd exported.

    compare.py FOLDER              FOLDER/export-SET.csv against the computation; 1 on any difference
    compare.py --self-test FOLDER  spoils a cell of each column and wants just these to be found; 1 if not

Nothing here has been through tierd or through its database: the text file is read by pandas, money is counted in whole cents,
and what is divided is divided as `Decimal`, halves rounded away from zero.
"""

import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd

AS_OF = pd.Timestamp("1998-07-01")
CUSTOMERS = 23_570
SETS = ["rfm", "momentum", "habit"]
# In the order in which run.sh asks for them.
METRICS = (Path(__file__).parent / "metrics.txt").read_text().split()


def main():
    arguments = sys.argv[1:]
    self_test = "--self-test" in arguments
    (folder,) = (Path(a) for a in arguments if a != "--self-test")
    expected = compute(folder / "CDNOW_master.txt")
    exports = {name: read_export(folder / f"export-{name}.csv") for name in SETS}
    if self_test:
        sys.exit(0 if finds_spoiled_cells(expected, exports) else 1)
    differences = [d for name, export in exports.items() for d in compare(name, expected, export)]
    for difference in differences[:20]:
        print(difference)
    cells = sum(len(export) * (len(METRICS) + 1) for export in exports.values())
    print(f"compared {cells} cells of {len(expected)} customers in {len(SETS)} tier sets: {len(differences)} differences")
    for name in SETS:
        levels = expected[f"level:{name}"].value_counts()
        print(f"  {name}: " + ", ".join(f"{level} {count}" for level, count in levels.items()))
    sys.exit(1 if differences else 0)


# ── What tierd exported ──────────────────────────────────────────────────────────────────────────────


def read_export(path):
    """The exported table, texts as they are, by key: the metrics and `level`. NULL is the empty text."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    wanted = ["key", *METRICS, "level"]
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        sys.exit(f"{path}: no column {', '.join(missing)}")
    if table["key"].duplicated().any():
        sys.exit(f"{path}: a key stands there twice")
    table = table[wanted].astype({"key": int}).set_index("key")
    return table


# ── The independent computation ──────────────────────────────────────────────────────────────────────


def compute(path):
    """One row per customer: all metrics, and `level:SET`."""
    rows = read_purchases(path)
    result = pd.DataFrame(index=pd.Index(sorted(rows["customer"].unique()), name="key"))
    add_lifetime(result, rows)
    add_windows(result, rows)
    add_derived(result)
    add_ranks(result)
    records = result.to_dict("records")
    for name, level in [("rfm", rfm), ("momentum", momentum), ("habit", habit)]:
        result[f"level:{name}"] = [level(record) for record in records]
    return result


def read_purchases(path):
    rows = pd.read_csv(path, sep=r"\s+", header=0, names=["customer", "day", "quantity", "amount"], dtype=str)
    rows["customer"] = rows["customer"].astype(int)
    rows["quantity"] = rows["quantity"].astype(int)
    rows["day"] = pd.to_datetime(rows["day"], format="%Y%m%d")
    rows["cents"] = [int(Decimal(amount).scaleb(2)) for amount in rows["amount"]]
    return rows


def add_lifetime(result, rows):
    by = rows.groupby("customer")
    money = by["cents"]
    result["spend"] = cents(money.sum())
    result["orders"] = by.size()
    result["units"] = by["quantity"].sum()
    result["days_bought"] = by["day"].nunique()
    result["big_orders"] = (rows["cents"] >= 5000).groupby(rows["customer"]).sum()
    result["avg_ticket"] = [quotient(Decimal(c).scaleb(-2), n) for c, n in zip(money.sum(), by.size())]
    result["largest"] = cents(money.max())
    # Of several purchases on one day `first` means the smallest, `last` the largest.
    ordered = rows.sort_values(["day", "cents"])
    for column, keep in [("first_amount", "first"), ("last_amount", "last")]:
        result[column] = cents(ordered.drop_duplicates("customer", keep=keep).set_index("customer")["cents"])
    result["first_purchase"] = by["day"].min()
    result["last_purchase"] = by["day"].max()
    result["days_idle"] = (AS_OF - by["day"].max()).dt.days


def add_windows(result, rows):
    def within(start, end):
        return rows[(rows["day"] >= start) & (rows["day"] < end)].groupby("customer")

    def spend(window):
        return cents(window["cents"].sum().reindex(result.index, fill_value=0))

    def orders(window):
        return window.size().reindex(result.index, fill_value=0)

    year = within("1997-07-01", AS_OF)
    result["spend_12m"] = spend(year)
    result["spend_prior_12m"] = spend(within("1996-07-01", "1997-07-01"))
    result["orders_12m"] = orders(year)
    result["orders_last_quarter"] = orders(within("1998-04-01", "1998-07-01"))
    result["spend_last_year"] = spend(within("1997-01-01", "1998-01-01"))
    result["orders_per_month"] = [quotient(Decimal(int(n)), 12) for n in result["orders_12m"]]


def add_derived(result):
    result["change"] = [a - b for a, b in zip(result["spend_12m"], result["spend_prior_12m"])]
    growth = [quotient(a, b) if b else None for a, b in zip(result["spend_12m"], result["spend_prior_12m"])]
    result["growth"] = pd.Series(growth, index=result.index, dtype=object)


def add_ranks(result):
    result["r"] = ntile(result, "days_idle", descending=True)
    result["f"] = ntile(result, "orders", descending=False)
    result["m"] = ntile(result, "spend", descending=False)
    place = places(result, "spend", descending=True)
    result["spend_rank"] = place
    result["spend_percent"] = [quotient(Decimal(100 * int(p)), len(result)) for p in place]


def places(result, metric, descending):
    """1 for the first; of equals the smaller key is first."""
    order = result.reset_index()[["key", metric]].sort_values([metric, "key"], ascending=[not descending, True])
    return pd.Series(range(1, len(order) + 1), index=order["key"]).reindex(result.index)


def ntile(result, metric, descending, buckets=5):
    """As NTILE of SQL: where the buckets can't be equal, the first ones are larger by one."""
    size, larger = divmod(len(result), buckets)
    ends = [size * (b + 1) + min(b + 1, larger) for b in range(buckets)]
    place = places(result, metric, descending)
    return [next(bucket for bucket, end in enumerate(ends, 1) if p <= end) for p in place]


def cents(series):
    """Whole cents as exact amounts."""
    return series.map(lambda c: Decimal(int(c)).scaleb(-2))


def quotient(a, b):
    """To six digits after the point, halves away from zero."""
    # Quotients of these sizes are exact to far beyond the sixth digit, so that rounding twice changes nothing.
    return (Decimal(a) / Decimal(b)).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def rfm(c):
    important = "important" if c["m"] >= 4 else "general"
    kinds = {(True, True): "valuable", (True, False): "to develop", (False, True): "to keep", (False, False): "leaving"}
    return f"{important}, {kinds[c['r'] >= 4, c['f'] >= 4]}"


def momentum(c):
    growth = c["growth"]
    grown = growth is not None and growth > 2
    rising = c["orders_last_quarter"] >= 1 and c["orders_per_month"] > Decimal("0.25") and c["spend_last_year"] > 0
    if rising and (grown or c["change"] >= 100):
        return "rising"
    even = growth is not None and Decimal("0.5") <= growth <= 2
    if c["orders_12m"] >= 1 and even and c["days_idle"] <= 180:
        return "steady"
    if c["spend_12m"] > 0 or c["last_purchase"] >= pd.Timestamp("1998-01-01"):
        return "awake"
    return "asleep"


def habit(c):
    if c["spend_percent"] <= 1 or c["spend_rank"] <= 100:
        return "top"
    if c["units"] >= 20 and c["big_orders"] >= 2:
        return "collector"
    if c["orders"] >= 3 and c["last_amount"] > c["first_amount"] and c["largest"] < 3 * c["avg_ticket"]:
        return "growing"
    if c["days_bought"] >= 2 and c["first_purchase"] < c["last_purchase"]:
        return "returning"
    return "once"


# ── Comparison ───────────────────────────────────────────────────────────────────────────────────────


def compare(name, expected, export):
    """A line for each cell, and each customer, in which the two differ."""
    if len(expected) != CUSTOMERS:
        yield f"{name}: {len(expected)} customers were computed, there are {CUSTOMERS}"
    for key in expected.index.symmetric_difference(export.index):
        yield f"{name}: customer {key} is only {'computed' if key in expected.index else 'exported'}"
    common = expected.index.intersection(export.index)
    for column in [*METRICS, "level"]:
        wanted = expected.loc[common, f"level:{name}" if column == "level" else column]
        for key, a, b in zip(common, wanted, export.loc[common, column]):
            if not same(a, b):
                yield f"{name}: customer {key}, {column}: computed {shown(a)}, exported {b or 'NULL'}"


def same(computed, exported):
    """Whether an exported text says exactly the computed value."""
    if computed is None:
        return exported == ""
    if isinstance(computed, Decimal):
        return is_decimal(exported) and Decimal(exported) == computed
    return shown(computed) == exported


def is_decimal(text):
    """Digits with at most one point: no exponent, no NaN."""
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def shown(value):
    if value is None:
        return "NULL"
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)


def finds_spoiled_cells(expected, exports):
    """Changes a cell in each column and leaves out a customer, in each table; true if just these are found."""
    ok = True
    for name, export in exports.items():
        columns = [*METRICS, "level"]
        gone, *keys = export.index[:: len(export) // (len(columns) + 1)][: len(columns) + 1]
        spoiled = export.drop(index=gone)
        for key, column in zip(keys, columns, strict=True):
            spoiled.loc[key, column] = spoil(spoiled.loc[key, column])
        wanted = {f"customer {gone} is only computed", *(f"customer {k}, {c}" for k, c in zip(keys, columns))}
        found = {d.removeprefix(f"{name}: ").partition(": ")[0] for d in compare(name, expected, spoiled)}
        if found != wanted:
            print(f"self-test: {name}: not found: {wanted - found}; found besides: {found - wanted}")
            ok = False
    print(f"self-test: {'each spoiled cell and each missing customer was found' if ok else 'failed'}")
    return ok


def spoil(text):
    """Another value of the same kind, as near as can be."""
    if is_decimal(text):
        return str(Decimal(text) + Decimal(1).scaleb(-len(text.partition(".")[2])))
    return f"{text}?"


if __name__ == "__main__":
    main()
