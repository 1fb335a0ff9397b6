#!/usr/bin/env python3
"""Compares the plugin with the PyPI package `lifetimes` on CDNOW's calibration sample, customer by customer.

    compare.py TIERD PLUGIN FOLDER     1 if anything differs by more than 1e-4, or the parameters by 0.5 % from the published ones

TIERD is the program, PLUGIN the `.wasm`. The sample is the one that the package carries: 2357 customers, 39 weeks, as in Fader, Hardie and
Lee (2005). `lifetimes` fits anew from the same figures, as finely as it can on this machine, and computes all four functions.
"""

import io
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path

import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.datasets import load_cdnow_summary_data_with_monetary_value
from lifetimes.utils import ConvergenceError

PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
WEEKS = 39
# `lifetimes` discounts by months of 4.345 weeks.
MONTHS, WEEKS_OF_MONTH, DISCOUNT = 12, 4.345, 0.01
TOLERANCE = 1e-4


def main():
    tierd, plugin, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    data = load_cdnow_summary_data_with_monetary_value().rename(columns={"T": "t", "monetary_value": "monetary"})
    data.to_csv(folder / "sample.csv")
    model, expected = compute(data)
    ok = published(model)
    for name, config in CONFIGS.items():
        ok = compare(name, expected[name], run(tierd, plugin, folder / "sample.csv", name, config)) and ok
    sys.exit(0 if ok else 1)


CONFIGS = {
    "alive": "{}",
    "expected_purchases": f'{{"horizon": {WEEKS}}}',
    "expected_value": "{}",
    "lifetime_value": f'{{"horizon": {MONTHS * WEEKS_OF_MONTH}, "period": {WEEKS_OF_MONTH}, "discount": {DISCOUNT}}}',
}


def compute(data):
    """The fitted model, and every function's values by `lifetimes`."""
    history = data["frequency"], data["recency"], data["t"]
    model = fitted(BetaGeoFitter(penalizer_coef=0), *history)
    back = data[data["frequency"] > 0]
    worth = fitted(GammaGammaFitter(penalizer_coef=0), back["frequency"], back["monetary"])
    print("lifetimes:", dict(model.params_), dict(worth.params_))
    value = worth.conditional_expected_average_profit(data["frequency"], data["monetary"])
    clv = worth.customer_lifetime_value(model, *history, data["monetary"], time=MONTHS, discount_rate=DISCOUNT, freq="W")
    return model, {
        "alive": pd.Series(model.conditional_probability_alive(*history), data.index),
        "expected_purchases": model.conditional_expected_number_of_purchases_up_to_time(WEEKS, *history),
        "expected_value": value,
        "lifetime_value": clv,
    }


def fitted(fitter, *columns):
    """By the finest tolerance that the search reaches: where gradients lose their last digits depends on the machine."""
    for tolerance in (1e-9, 1e-8):
        # What it prints of a search that falls short is of no interest: the next is tried.
        with suppress(ConvergenceError), redirect_stdout(io.StringIO()):
            return fitter.fit(*columns, tol=tolerance)
    return fitter.fit(*columns, tol=1e-7)


def published(model):
    """Whether `lifetimes` itself finds the published parameters: a difference to it is then one to them."""
    return all(abs(model.params_[name] / value - 1) < 0.005 for name, value in PUBLISHED.items())


def run(tierd, plugin, data, function, config):
    command = [tierd, "plugin", "run", plugin, "--function", function, "--input", str(data), "--config", config, "--output", "csv"]
    output = data.with_name(f"{function}.csv")
    with output.open("w") as file:
        subprocess.run(command, stdout=file, check=True)
    return pd.read_csv(output, index_col="customer_id")[function]


def compare(name, expected, found):
    worst = (expected - found).abs().max()
    print(f"{name}: {len(found)} customers, largest difference {worst:.1e}")
    # Where one of the two is missing, the difference is too, and doesn't count in the maximum.
    return found.index.equals(expected.index) and bool(found.notna().all()) and worst <= TOLERANCE


if __name__ == "__main__":
    main()
