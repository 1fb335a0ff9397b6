//! What is offered to customers who may be leaving: a coupon worth a share of what is at stake, and a call where that is much.

use tierd_plugin::{Action, Event, Task, json::Json, planner, plugin, settings};

plugin! {
    name: "offers",
    version: env!("CARGO_PKG_VERSION"),
    doc: "Coupons and calls for customers who may be leaving, by what is at stake",
    planners: [keep]
}

settings! {
    /// Of `keep`.
    pub struct Budget {
        /// What a coupon may be worth of what is at stake: 0.05 for 5 %.
        share: f64 = 0.05,
        /// What a coupon is worth at most.
        most: f64 = 200.0,
        /// Coupons of less aren't sent.
        least: f64 = 5.0,
        /// Somebody calls where so much is at stake, or more.
        call_from: f64 = 5000.0,
        /// Days for which a coupon is good.
        valid_days: i64 = 30,
    }
}

planner! {
    /// A coupon for who may be leaving, and a call where much is at stake: value times risk.
    pub fn keep(
        /// What the customer is expected to bring.
        value: f64,
        /// How likely it is that they leave, 0 to 1.
        risk: f64,
        budget: &Budget,
    ) -> Vec<Action> {
        let stake = value.max(0.0) * risk.clamp(0.0, 1.0);
        let worth = (stake * budget.share).min(budget.most).floor();
        let mut actions = Vec::new();
        if worth >= budget.least {
            let data = Json::object([("worth", worth), ("valid_days", budget.valid_days as f64)]);
            actions.push(Event::new("coupon", &data).into());
        }
        if stake >= budget.call_from {
            let task = Task::new("Call: may be leaving").channel("call").due_days(3);
            actions.push(task.text(format!("{stake:.0} are at stake")).into());
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use tierd_plugin::{Proposal, testing};

    use super::*;

    fn plan(config: &str, values: [f64; 4], risks: [f64; 4]) -> Vec<Proposal> {
        let call = tierd_plugin::Call { config: config.to_owned(), ..testing::call("keep") };
        testing::plan::<keep>(&call, vec![testing::column(values), testing::column(risks)]).unwrap()
    }

    /// As rows and what is proposed for them.
    fn shown(proposals: &[Proposal]) -> Vec<(u32, String)> {
        let action = |action: &Action| match action {
            Action::Task(task) => format!("{} ({})", task.title, task.text.as_deref().unwrap_or("")),
            Action::Event(event) => format!("{} {}", event.name, event.data),
        };
        proposals.iter().map(|proposal| (proposal.row, action(&proposal.action))).collect()
    }

    #[test]
    fn what_is_offered_follows_from_what_is_at_stake() {
        let found = shown(&plan("", [90.0, 1000.0, 20_000.0, -5.0], [1.0, 0.5, 0.25, 1.0]));
        let expected = [
            (1, r#"coupon {"worth":25,"valid_days":30}"#),
            (2, r#"coupon {"worth":200,"valid_days":30}"#),
            (2, "Call: may be leaving (5000 are at stake)"),
        ];
        assert_eq!(found, expected.map(|(row, text)| (row, text.to_owned())));
    }

    #[test]
    fn a_budget_is_kept() {
        let config = r#"{"share": 0.1, "most": 50, "least": 50, "call_from": 1e9, "valid_days": 7}"#;
        let found = shown(&plan(config, [499.0, 500.0, 20_000.0, 0.0], [1.0, 1.0, 2.0, 1.0]));
        let coupon = r#"coupon {"worth":50,"valid_days":7}"#;
        assert_eq!(found, [(1, coupon.to_owned()), (2, coupon.to_owned())]);
    }
}
