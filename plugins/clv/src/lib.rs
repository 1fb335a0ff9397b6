//! Customer lifetime value: who still buys, how often, for how much.
//!
//! Four functions, all models: fitted to all subjects by maximum likelihood at the beginning of each run, or with parameters that a rule gives.
//! [`bgnbd`] says how often somebody buys, [`gamma_gamma`] for how much, [`newton`] finds the parameters.
//!
//! `frequency`, `recency` and `t` are as in the literature: repeat purchases (the first doesn't count; several on one day
//! are one), the time from the first purchase to the last, and from the first until now. Any unit of time will do, as long as the horizon has it too.

pub mod bgnbd;
pub mod gamma_gamma;
pub mod newton;
pub mod special;

use bgnbd::{Bgnbd, History};
use gamma_gamma::GammaGamma;
use newton::{Search, Sums};
use tierd_plugin::{Failure, Fitted, json::Json, model, plugin, settings, state};

plugin! {
    name: "clv",
    version: env!("CARGO_PKG_VERSION"),
    doc: "Customer lifetime value by BG/NBD and Gamma-Gamma, fitted to all customers",
    models: [alive, expected_purchases, expected_value, lifetime_value]
}

settings! {
    /// Of `alive`.
    pub struct Purchases {
        /// Parameters of an earlier fit: all four, or none to fit them anew.
        r: Option<f64>,
        /// See r; in the unit of time.
        alpha: Option<f64>,
        /// See r.
        a: Option<f64>,
        /// See r.
        b: Option<f64>,
    }
}

settings! {
    /// Of `expected_purchases`.
    pub struct Horizon {
        /// How far ahead, in the unit of `t`.
        horizon: f64,
    }
}

settings! {
    /// Of `expected_value`.
    pub struct Worth {
        /// Parameters of an earlier fit: all three, or none to fit them anew.
        p: Option<f64>,
        /// See p.
        q: Option<f64>,
        /// See p; in the unit of money.
        v: Option<f64>,
    }
}

settings! {
    /// Of `lifetime_value`.
    pub struct Discount {
        /// How much less a value is worth a period later: 0.01 for 1 %.
        discount: f64 = 0.0,
        /// How long a period is, in the unit of `t`; without it the horizon is one.
        period: Option<f64>,
    }
}

state! {
    /// The searches of `lifetime_value`.
    pub struct Searches {
        /// BG/NBD.
        purchases: Search<4>,
        /// Gamma-Gamma.
        worth: Search<3>,
    }
}

state! {
    /// What a batch adds to both.
    #[derive(Default)]
    pub struct BothSums {
        /// BG/NBD.
        purchases: Sums<4>,
        /// Gamma-Gamma.
        worth: Sums<3>,
    }
}

// ── The four functions ──────────────────────────────────────────────────────────────────────────────

model! {
    /// The probability that a customer still is one.
    pub alive: Search<4>, Sums<4>;

    fn part(sums: &mut Sums<4>, search: Option<&Search<4>>, frequency: f64, recency: f64, t: f64) -> Result<(), Failure> {
        add_purchases(sums, search, History::new(frequency, recency, t)?);
        Ok(())
    }

    fn fit(search: Option<Search<4>>, parts: Vec<Sums<4>>, given: &Purchases) -> Result<Fitted<Search<4>>, Failure> {
        fit_purchases(search, &parts, given).map(|search| fitted(search.done, purchases_summary(&search), search))
    }

    fn apply(
        search: &Search<4>,
        /// Repeat purchases: all but the first, several on one day being one.
        frequency: f64,
        /// Time from the first purchase to the last.
        recency: f64,
        /// Time from the first purchase until now, in the same unit.
        t: f64,
    ) -> Result<f64, Failure> {
        Ok(Bgnbd::from(search.at).alive(History::new(frequency, recency, t)?))
    }
}

model! {
    /// How often a customer is expected to buy within the horizon.
    pub expected_purchases: Search<4>, Sums<4>;

    fn part(sums: &mut Sums<4>, search: Option<&Search<4>>, frequency: f64, recency: f64, t: f64) -> Result<(), Failure> {
        alive::part(sums, search, frequency, recency, t)
    }

    fn fit(search: Option<Search<4>>, parts: Vec<Sums<4>>, given: &Purchases) -> Result<Fitted<Search<4>>, Failure> {
        alive::fit(search, parts, given)
    }

    fn apply(
        search: &Search<4>,
        /// Repeat purchases: all but the first, several on one day being one.
        frequency: f64,
        /// Time from the first purchase to the last.
        recency: f64,
        /// Time from the first purchase until now, in the same unit.
        t: f64,
        horizon: &Horizon,
    ) -> Result<f64, Failure> {
        Ok(Bgnbd::from(search.at).purchases(History::new(frequency, recency, t)?, checked(horizon)?))
    }
}

model! {
    /// What the next purchase of a customer is expected to be worth. Without repeat purchases it is the mean of all.
    pub expected_value: Search<3>, Sums<3>;

    fn part(sums: &mut Sums<3>, search: Option<&Search<3>>, frequency: f64, monetary: Option<f64>) {
        add_worth(sums, search, frequency, monetary);
    }

    fn fit(search: Option<Search<3>>, parts: Vec<Sums<3>>, given: &Worth) -> Result<Fitted<Search<3>>, Failure> {
        fit_worth(search, &parts, given).map(|search| fitted(search.done, worth_summary(&search), search))
    }

    fn apply(
        search: &Search<3>,
        /// Repeat purchases: all but the first, several on one day being one.
        frequency: f64,
        /// What a repeat purchase was worth, on average.
        monetary: Option<f64>,
    ) -> Option<f64> {
        worth(search, frequency, monetary)
    }
}

model! {
    /// What a customer's purchases within the horizon are expected to be worth.
    pub lifetime_value: Searches, BothSums;

    fn part(
        sums: &mut BothSums,
        search: Option<&Searches>,
        frequency: f64,
        recency: f64,
        t: f64,
        monetary: Option<f64>,
    ) -> Result<(), Failure> {
        alive::part(&mut sums.purchases, search.map(|both| &both.purchases), frequency, recency, t)?;
        add_worth(&mut sums.worth, search.map(|both| &both.worth), frequency, monetary);
        Ok(())
    }

    fn fit(
        search: Option<Searches>,
        parts: Vec<BothSums>,
        purchases: &Purchases,
        worth: &Worth,
    ) -> Result<Fitted<Searches>, Failure> {
        let (of_purchases, of_worth) = search.map(|both| (both.purchases, both.worth)).unzip();
        let (purchase_sums, worth_sums): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.purchases, part.worth)).unzip();
        let both = Searches {
            purchases: fit_purchases(of_purchases, &purchase_sums, purchases)?,
            worth: fit_worth(of_worth, &worth_sums, worth)?,
        };
        let summary = Json::object([("purchases", purchases_summary(&both.purchases)), ("worth", worth_summary(&both.worth))]);
        Ok(fitted(both.purchases.done && both.worth.done, summary, both))
    }

    fn apply(
        search: &Searches,
        /// Repeat purchases: all but the first, several on one day being one.
        frequency: f64,
        /// Time from the first purchase to the last.
        recency: f64,
        /// Time from the first purchase until now, in the same unit.
        t: f64,
        /// What a repeat purchase was worth, on average.
        monetary: Option<f64>,
        horizon: &Horizon,
        discount: &Discount,
    ) -> Result<Option<f64>, Failure> {
        let history = History::new(frequency, recency, t)?;
        let purchases = discounted(&Bgnbd::from(search.purchases.at), history, checked(horizon)?, discount)?;
        Ok(worth(&search.worth, frequency, monetary).map(|value| purchases * value))
    }
}

// ── Rounds ──────────────────────────────────────────────────────────────────────────────────────────

fn add_purchases(sums: &mut Sums<4>, search: Option<&Search<4>>, history: History) {
    sums.rows += 1.0;
    match search {
        None => sums.totals = [sums.totals[0] + history.x, sums.totals[1] + history.t],
        Some(search) if search.done => {}
        Some(search) => Bgnbd::from(search.at).add_likelihood(sums, history),
    }
}

fn fit_purchases(search: Option<Search<4>>, parts: &[Sums<4>], given: &Purchases) -> Result<Search<4>, Failure> {
    if let Some(parameters) = all_or_none([given.r, given.alpha, given.a, given.b], "r, alpha, a and b")? {
        return Ok(Search::given(parameters));
    }
    let sums = Sums::total(parts);
    match search {
        Some(search) if search.done => Ok(search),
        Some(search) => Ok(search.next(&sums)),
        None => first_purchases(&sums),
    }
}

/// From the mean rate of all: half a gamma, so that rates differ much, and one in three leaving.
fn first_purchases(sums: &Sums<4>) -> Result<Search<4>, Failure> {
    let [purchases, time] = sums.totals;
    if !(purchases > 0.0 && time > 0.0) {
        return Err("nobody has bought again: there is nothing to fit BG/NBD to".into());
    }
    Ok(Search::from([0.5, 0.5 * time / purchases, 1.0, 2.0]))
}

fn add_worth(sums: &mut Sums<3>, search: Option<&Search<3>>, frequency: f64, monetary: Option<f64>) {
    let Some(mean) = monetary.filter(|mean| *mean > 0.0 && frequency > 0.0) else { return };
    sums.rows += 1.0;
    match search {
        None => sums.totals[0] += mean,
        Some(search) if search.done => {}
        Some(search) => GammaGamma::from(search.at).add_likelihood(sums, frequency, mean),
    }
}

fn fit_worth(search: Option<Search<3>>, parts: &[Sums<3>], given: &Worth) -> Result<Search<3>, Failure> {
    if let Some(parameters) = all_or_none([given.p, given.q, given.v], "p, q and v")? {
        return Ok(Search::given(parameters));
    }
    let sums = Sums::total(parts);
    match search {
        Some(search) if search.done => Ok(search),
        Some(search) => Ok(search.next(&sums)),
        None => first_worth(&sums),
    }
}

/// From the mean of all: v p / (q - 1) is that.
fn first_worth(sums: &Sums<3>) -> Result<Search<3>, Failure> {
    if sums.rows == 0.0 {
        return Err("nobody has bought again for more than nothing: there is nothing to fit Gamma-Gamma to".into());
    }
    Ok(Search::from([2.0, 3.0, sums.totals[0] / sums.rows]))
}

fn all_or_none<const N: usize>(given: [Option<f64>; N], names: &str) -> Result<Option<[f64; N]>, Failure> {
    if given.iter().all(Option::is_none) {
        return Ok(None);
    }
    let all = given.map(|parameter| parameter.unwrap_or(f64::NAN));
    if all.iter().all(|parameter| *parameter > 0.0 && parameter.is_finite()) {
        return Ok(Some(all));
    }
    Err(format!("the settings {names} must all be given and greater than 0, or none of them").into())
}

fn fitted<M>(done: bool, summary: Json, model: M) -> Fitted<M> {
    Fitted { model, done, summary }
}

fn purchases_summary(search: &Search<4>) -> Json {
    summary(["r", "alpha", "a", "b"], search)
}

fn worth_summary(search: &Search<3>) -> Json {
    summary(["p", "q", "v"], search)
}

fn summary<const N: usize>(names: [&str; N], search: &Search<N>) -> Json {
    let parameters = names.into_iter().zip(search.at).map(|(name, value)| (name.to_owned(), Json::from(value)));
    let fit = [
        ("log_likelihood".to_owned(), search.value().map_or(Json::Null, Json::from)),
        ("rounds".to_owned(), f64::from(search.rounds).into()),
        ("converged".to_owned(), search.converged.into()),
    ];
    Json::Object(parameters.chain(fit).collect())
}

// ── Of one customer ─────────────────────────────────────────────────────────────────────────────────

fn checked(settings: &Horizon) -> Result<f64, Failure> {
    if settings.horizon >= 0.0 { Ok(settings.horizon) } else { Err("setting `horizon` must not be negative".into()) }
}

fn worth(search: &Search<3>, frequency: f64, monetary: Option<f64>) -> Option<f64> {
    // Repeat purchases of unknown worth say as little as none.
    let (x, mean) = monetary.map_or((0.0, 0.0), |mean| (frequency, mean));
    GammaGamma::from(search.at).value(x, mean)
}

/// Purchases within the horizon, those of the n-th period divided by (1 + discount)ⁿ.
fn discounted(model: &Bgnbd, history: History, horizon: f64, settings: &Discount) -> Result<f64, Failure> {
    let period = settings.period.unwrap_or(horizon);
    if !(period > 0.0 || horizon == 0.0) || settings.discount <= -1.0 {
        return Err("setting `period` must be greater than 0, and `discount` than -1".into());
    }
    if settings.discount == 0.0 || horizon == 0.0 {
        return Ok(model.purchases(history, horizon));
    }
    // A last period that the horizon cuts short counts as one, unless it is short of nothing but the last bits of a division.
    let periods = (horizon / period - 1e-9).ceil();
    if periods > 10_000.0 {
        return Err("setting `period` must not be shorter than a 10,000th of the horizon".into());
    }
    let (mut sum, mut before) = (0.0, 0.0);
    for n in 1..=periods as i32 {
        let until = model.purchases(history, (f64::from(n) * period).min(horizon));
        sum += (until - before) / (1.0 + settings.discount).powi(n);
        before = until;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use tierd_plugin::testing;

    use super::*;

    /// Uniform between 0 and 1, the same ones each time (Steele, Lea and Flood's SplitMix64).
    struct Chance(u64);

    impl Chance {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + 1e-17
        }

        fn exponential(&mut self) -> f64 {
            -self.next().ln()
        }
    }

    /// Customers as BG/NBD has them, with r = 1, alpha = 5, a = 1, b = 2, seen for `t`: there gamma and beta are as simple as
    /// exponential and root. Each purchase is worth 20 on average, whoever makes it.
    fn customers(count: usize, t: f64) -> Vec<[f64; 4]> {
        let mut chance = Chance(7);
        (0..count)
            .map(|_| {
                let rate = chance.exponential() / 5.0;
                let leaves = 1.0 - chance.next().sqrt();
                let (mut x, mut tx, mut spent) = (0.0, 0.0, 0.0);
                let mut at = chance.exponential() / rate;
                while at <= t {
                    (x, tx, spent) = (x + 1.0, at, spent + 20.0 * (chance.exponential() + chance.exponential()) / 2.0);
                    if chance.next() < leaves {
                        break;
                    }
                    at += chance.exponential() / rate;
                }
                [x, tx, t, if x > 0.0 { spent / x } else { 0.0 }]
            })
            .collect()
    }

    fn columns(rows: &[[f64; 4]], which: &[usize]) -> Vec<tierd_plugin::Column> {
        which.iter().map(|column| testing::column(rows.iter().map(|row| row[*column]))).collect()
    }

    fn batches(rows: &[[f64; 4]], which: &[usize]) -> Vec<Vec<tierd_plugin::Column>> {
        rows.chunks(1024).map(|rows| columns(rows, which)).collect()
    }

    fn summary_of(json: &str, names: [&str; 4]) -> [f64; 4] {
        let json = Json::parse(json).unwrap();
        names.map(|name| json.get(name).and_then(Json::number).unwrap())
    }

    #[test]
    fn parameters_of_made_up_customers_are_found_again() {
        let rows = customers(20_000, 30.0);
        let fit = testing::fit::<alive, f64>(&testing::call("alive"), batches(&rows, &[0, 1, 2])).unwrap();
        let found = summary_of(&fit.summary, ["r", "alpha", "a", "b"]);
        for (found, wanted) in found.into_iter().zip([1.0, 5.0, 1.0, 2.0]) {
            assert!((found / wanted - 1.0).abs() < 0.1, "{}", fit.summary);
        }
        assert!(fit.rounds <= 12, "{}", fit.rounds);
    }

    #[test]
    fn customers_as_regular_as_clocks_have_a_value() {
        // Nothing says how differently they leave: a and b grow as far as the search lets them.
        let regular = |n: i32| {
            let (gap, x) = (f64::from(20 + n % 3 * 15), f64::from(3 + n % 7));
            [x, gap * x, gap * x + f64::from(n % 5) * 60.0, f64::from(50 + n % 4 * 30)]
        };
        let rows: Vec<_> = (0..40).map(regular).collect();
        let call = testing::call("lifetime_value").config(r#"{"horizon": 1095, "period": 365, "discount": 0.1}"#);
        let fit = testing::fit::<lifetime_value, f64>(&call, batches(&rows, &[0, 1, 2, 3])).unwrap();
        assert!(fit.values.iter().all(|value| value.is_some_and(|value| value.is_finite() && value >= 0.0)), "{fit:?}");
        let a = Json::parse(&fit.summary).unwrap().get("purchases").and_then(|p| p.get("a")?.number()).unwrap();
        assert!(a > 1000.0, "{}", fit.summary);
    }

    #[test]
    fn the_unit_of_time_makes_no_difference() {
        let rows = customers(3000, 30.0);
        let days: Vec<_> = rows.iter().map(|[x, tx, t, m]| [*x, 7.0 * tx, 7.0 * t, *m]).collect();
        let call = testing::call("lifetime_value");
        let weeks = testing::fit::<lifetime_value, f64>(
            &call.clone().config(r#"{"horizon": 26}"#),
            batches(&rows, &[0, 1, 2, 3]),
        )
        .unwrap();
        let days =
            testing::fit::<lifetime_value, f64>(&call.config(r#"{"horizon": 182}"#), batches(&days, &[0, 1, 2, 3]))
                .unwrap();
        for (one, other) in weeks.values.iter().zip(&days.values) {
            assert!((one.unwrap() - other.unwrap()).abs() < 1e-6 * one.unwrap(), "{one:?} {other:?}");
        }
    }

    #[test]
    fn the_same_customers_give_the_same_bits() {
        let rows = customers(3000, 30.0);
        let call = testing::call("expected_purchases").config(r#"{"horizon": 26}"#);
        let fit = || testing::fit::<expected_purchases, f64>(&call, batches(&rows, &[0, 1, 2])).unwrap();
        assert_eq!(fit(), fit());
    }

    #[test]
    fn given_parameters_are_used_in_one_round() {
        let rows = customers(10, 30.0);
        let config = r#"{"horizon": 39, "r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}"#;
        let call = testing::call("expected_purchases").config(config);
        let fit = testing::fit::<expected_purchases, f64>(&call, batches(&rows, &[0, 1, 2])).unwrap();
        assert_eq!(fit.rounds, 1);
        let cdnow = Bgnbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
        assert_eq!(fit.values[0], Some(cdnow.purchases(History { x: rows[0][0], tx: rows[0][1], t: 30.0 }, 39.0)));
    }

    #[test]
    fn half_of_the_parameters_nobody_who_came_back_and_impossible_histories_are_failures() {
        let fit = |config: &str, rows: &[[f64; 4]]| {
            testing::fit::<alive, f64>(&testing::call("alive").config(config), batches(rows, &[0, 1, 2])).unwrap_err()
        };
        let good = [[1.0, 3.0, 9.0, 1.0]];
        assert!(fit(r#"{"r": 1}"#, &good).message.contains("must all be given"));
        assert!(fit("{}", &[[0.0, 0.0, 9.0, 0.0]]).message.contains("nobody has bought again"));
        let late = fit("{}", &[good[0], [1.0, 9.5, 9.0, 1.0]]);
        assert_eq!(late.row, Some(1));
    }

    #[test]
    fn a_value_without_repeat_purchases_is_the_mean_of_all() {
        let rows = customers(5000, 30.0);
        let call = testing::call("expected_value");
        let mut last = columns(&[[0.0; 4]], &[0]);
        last.push(testing::column([None::<f64>]));
        let mut all = batches(&rows, &[0, 3]);
        all.push(last);
        let fit = testing::fit::<expected_value, f64>(&call, all).unwrap();
        let mean = fit.values.last().unwrap().unwrap();
        assert!((mean - 20.0).abs() < 0.5, "{mean}");
    }

    #[test]
    fn discounting_by_periods_lies_between_none_and_all() {
        let model = Bgnbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
        let history = History { x: 2.0, tx: 30.43, t: 38.86 };
        let with = |discount, period| discounted(&model, history, 52.0, &Discount { discount, period }).unwrap();
        let plain = with(0.0, None);
        assert_eq!(with(0.1, None), plain / 1.1);
        let weekly = with(0.1 / 52.0, Some(1.0));
        assert!(plain / 1.1 < weekly && weekly < plain);
        // Thirteen periods of four weeks, and a last one of less.
        assert!(with(0.01, Some(4.0)) < plain && with(0.01, Some(5.0)) < plain);
    }

    #[test]
    fn every_function_says_what_it_takes() {
        let description = Plugin::describe();
        let functions: Vec<_> = description
            .functions
            .iter()
            .map(|f| (f.name.as_str(), f.inputs.len(), f.settings.iter().filter(|s| s.required).count()))
            .collect();
        let wanted =
            [("alive", 3, 0), ("expected_purchases", 3, 1), ("expected_value", 2, 0), ("lifetime_value", 4, 1)];
        assert_eq!(functions, wanted);
        assert!(description.functions.iter().all(|f| !f.doc.is_empty() && f.inputs.iter().all(|i| !i.doc.is_empty())));
    }
}
