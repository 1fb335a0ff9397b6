//! A score of customers, 0 to 100: by what they spend, how long they have been there, and how they pay. A scorer of three numbers, as small as
//! one gets: what plugins cost is measured by it.

tierd_plugin::plugin! {
    name: "standing",
    version: env!("CARGO_PKG_VERSION"),
    doc: "A score of customers by spend, tenure and late payments",
    scorers: [score]
}

tierd_plugin::scorer! {
    /// 0 to 100.
    pub fn score(
        /// Of the last year.
        spend: f64,
        /// Days since the customer joined.
        tenure_days: f64,
        /// Of the last year; none counts as 0.
        late_payments: Option<f64>,
    ) -> f64 {
        let (spends, stays) = (at_most(spend / 10_000.0, 1.0), at_most(tenure_days / 3650.0, 1.0));
        let score = 60.0 * spends + 40.0 * stays - 15.0 * late_payments.unwrap_or(0.0);
        at_most(if score > 0.0 { score } else { 0.0 }, 100.0)
    }
}

/// One instruction. WebAssembly has none for `f64::min`, which would be a call.
fn at_most(value: f64, most: f64) -> f64 {
    if value < most { value } else { most }
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn spend_tenure_and_payments_count() {
        assert_eq!(score(20_000.0, 3650.0, None), 100.0);
        assert_eq!(score(5_000.0, 365.0, Some(1.0)), 19.0);
        assert_eq!(score(0.0, 0.0, Some(3.0)), 0.0);
    }
}
