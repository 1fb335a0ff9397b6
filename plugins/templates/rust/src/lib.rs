//! A score of customers, 0 to 100: by what they spend, how long they have been there, and how they pay.

use tierd_plugin::{plugin, scorer, settings};

plugin! {
    name: "{{name}}",
    version: env!("CARGO_PKG_VERSION"),
    doc: "A score of customers by spend, tenure and late payments",
    scorers: [score]
}

settings! {
    /// What a rule may set.
    pub struct Weights {
        /// Spend that gives all points for spending.
        full_spend: f64 = 10_000.0,
    }
}

scorer! {
    /// 0 to 100.
    pub fn score(
        /// Of the last year.
        spend: f64,
        /// Days since the customer joined.
        tenure_days: f64,
        /// Of the last year; none counts as 0.
        late_payments: Option<f64>,
        weights: &Weights,
    ) -> f64 {
        let spends = (spend / weights.full_spend).min(1.0);
        let stays = (tenure_days / 3650.0).min(1.0);
        (60.0 * spends + 40.0 * stays - 15.0 * late_payments.unwrap_or(0.0)).clamp(0.0, 100.0)
    }
}

#[cfg(test)]
mod tests {
    use tierd_plugin::testing;

    use super::*;

    #[test]
    fn spend_tenure_and_payments_count() {
        let weights = Weights { full_spend: 10_000.0 };
        assert_eq!(score(20_000.0, 3650.0, None, &weights), 100.0);
        assert_eq!(score(5_000.0, 365.0, Some(1.0), &weights), 19.0);
        assert_eq!(score(0.0, 0.0, Some(3.0), &weights), 0.0);
    }

    #[test]
    fn a_rule_may_set_what_full_spend_is() {
        let call = testing::call("score").config(r#"{"full_spend": 1000}"#);
        let columns = vec![testing::column([1000.0]), testing::column([0.0]), testing::column([None::<f64>])];
        assert_eq!(testing::score::<super::score, f64>(&call, columns), Ok(vec![Some(60.0)]));
    }
}
