use crate::support::{CONFIG, pass, rules, shop};

#[test]
fn facts_attributes_and_windows() {
    pass(
        &shop(),
        r#"
        as_of = "2026-06-30T09:00:00"

        [[case]]
        name = "two orders and an old hand"
        subject = { joined_on = 2020-12-31 }
        facts.orders = [
          { ordered_at = "2025-06-30T00:00:00", amount = 4000 },
          { ordered_at = "2026-05-01", amount = "6000.00", status = "paid" },
          { ordered_at = "2026-05-01", amount = 9999, status = "refunded" },
          { ordered_at = "2025-06-29T23:59:59", amount = 9999 },
          { ordered_at = "2026-06-30T09:00:00", amount = 9999 },
        ]
        expect = { value = "A", best = "first" }
        expect_metrics = { annual_spend = 10000, spend_rank = 1, last_order = "2026-05-01" }
        explain = ["annual_spend 10000", "joined_on 2020-12-31"]

        [[case]]
        name = "an offset counts"
        as_of = 2026-06-30T09:00:00+08:00
        facts.orders = [{ ordered_at = 2026-06-30T01:00:00Z, amount = 5000 }, { ordered_at = 2026-06-30T00:59:59Z, amount = 7 }]
        expect_metrics = { annual_spend = 7 }

        [[case]]
        name = "nothing is told"
        expect = { value = "C" }
        expect_metrics = { annual_spend = 0, last_order = "null" }
        expect_moves = { value = "none -> C" }
        expect_reason = { value = "first level" }
        expect_tasks = []
        expect_events = []
        "#,
    );
}

#[test]
fn repeated_facts_clamp_month_ends() {
    pass(
        &shop(),
        r#"
        [[case]]
        name = "every month"
        as_of = 2026-06-30
        facts.orders = [{ ordered_at = "2026-01-31T10:00:00", amount = 1000, every = "1 month", times = 4 }]
        expect_metrics = { annual_spend = 4000, last_order = "2026-04-30T10:00:00" }
        "#,
    );
}

#[test]
fn given_metrics_take_the_place_of_computed_ones() {
    pass(
        &shop(),
        r#"
        as_of = 2026-06-30
        [[case]]
        name = "an aggregate"
        metrics = { annual_spend = 5000.50 }
        facts.orders = [{ ordered_at = 2026-05-01, amount = 1 }]
        expect = { value = "B" }
        expect_metrics = { annual_spend = 5000.5, spend_rank = 1, last_order = 2026-05-01 }
        [[case]]
        name = "a rank, and a computed metric"
        metrics = { spend_rank = 2, half_score = 0.5 }
        expect = { best = "none" }
        expect_metrics = { half_score = 0.5 }
        [[case]]
        name = "an attribute that is a metric"
        metrics = { city = "武汉", annual_spend = 10000 }
        subject = { city = "上海" }
        expect = { value = "A" }
        [[case]]
        name = "reals aren't compared to the last digit"
        subject = { score = 0.3 }
        expect_metrics = { half_score = 0.1 }
        "#,
    );
}

#[test]
fn steps_carry_levels_and_facts_on() {
    pass(
        &shop(),
        r#"
        [[case]]
        name = "up and down"
        as_of = "2026-06-30T09:00:00"
        facts.orders = [{ ordered_at = "2026-05-01", amount = 6000 }]
        expect = { value = "B" }
        [[case.step]]
        as_of = "2026-07-30T09:00:00"
        subject = { city = "武汉" }
        facts.orders = [{ ordered_at = "2026-07-01", amount = 4000 }]
        expect = { value = "A" }
        expect_moves = { value = "B -> A" }
        expect_reason = { value = "upgraded" }
        [[case.step]]
        as_of = "2026-08-30T09:00:00"
        expect_moves = { value = "stays" }
        [[case.step]]
        as_of = "2027-08-30T09:00:00"
        expect_moves = { value = "A -> C" }
        expect_reason = { value = "downgraded" }
        expect_metrics = { annual_spend = 0 }
        "#,
    );
}

#[test]
fn unknown_keeps_the_level_held_before() {
    pass(
        &shop(),
        r#"
        [[case]]
        name = "the town is forgotten"
        as_of = "2026-06-30"
        metrics = { annual_spend = 20000 }
        subject = { city = "武汉" }
        expect = { value = "A" }
        [[case.step]]
        as_of = "2026-07-30"
        subject = { city = "null" }
        expect = { value = "A" }
        expect_moves = { value = "stays" }
        "#,
    );
}

#[test]
fn overrides_are_in_force_from_then_until_then() {
    pass(
        &shop(),
        r#"
        [[case]]
        name = "a floor for a month"
        as_of = "2026-06-30T23:59:59"
        expect = { value = "C" }
        [[case.override]]
        set = "value"
        kind = "floor"
        level = "B"
        from = 2026-07-01
        until = 2026-07-31
        [[case.step]]
        as_of = "2026-07-01T00:00:00"
        expect = { value = "B" }
        expect_reason = { value = "override" }
        [[case.step]]
        as_of = "2026-08-01T00:00:00"
        expect_moves = { value = "B -> C" }
        expect_reason = { value = "override ended" }
        "#,
    );
}

#[test]
fn several_subjects_are_ranked_against_each_other() {
    pass(
        &shop(),
        r#"
        as_of = 2026-06-30
        [[case]]
        name = "the second overtakes the first"
        [[case.subjects.customer]]
        key = 7
        facts.orders = [{ ordered_at = 2026-05-01, amount = 6000 }]
        expect = { best = "first", value = "B" }
        [[case.subjects.customer]]
        key = 3
        city = "武汉"
        facts.orders = [{ ordered_at = 2026-05-01, amount = 5000 }]
        expect = { best = "none", value = "B" }
        expect_metrics = { spend_rank = 2 }
        [[case.step]]
        as_of = 2026-07-30
        [[case.step.subjects.customer]]
        key = 3
        facts.orders = [{ ordered_at = 2026-07-01, amount = 5000 }]
        expect = { best = "first", value = "A" }
        [[case.step.subjects.customer]]
        key = 7
        expect_moves = { best = "first -> none", value = "stays" }
        "#,
    );
}

#[test]
fn frozen_cuts_put_each_by_its_own_value() {
    let frozen = r#"
        [metric.spend]
        from = "orders"
        aggregate = "sum(amount)"
        window = "lifetime"
        empty = "null"
        [metric.fifth]
        quintile = "spend asc"
        cuts = [100, 500.50, 2000, 10000]
        [metric.third_down]
        ntile = { of = "spend desc", buckets = 3 }
        cuts = [2000, 100]
        [tiers.top]
        level = [{ name = "rest" }, { name = "best", when = "fifth = 5 and third_down = 1" }]
    "#;
    let case = |amount: &str, fifth: &str, third: &str| {
        let facts = match amount {
            "none" => String::new(),
            amount => format!("facts.orders = [{{ ordered_at = 2026-06-01, amount = {amount} }}]"),
        };
        format!(
            "[[case]]\nname = \"{amount}\"\nas_of = 2026-06-30\n{facts}\n\
             expect_metrics = {{ fifth = {fifth}, third_down = {third} }}\n"
        )
    };
    let cases = [
        case("99.99", "1", "3"),
        case("100", "2", "3"),
        case("500.49", "2", "2"),
        case("500.50", "3", "2"),
        case("1999.99", "3", "2"),
        case("2000", "4", "2"),
        case("2000.01", "4", "1"),
        case("10000", "5", "1"),
        case("none", "\"null\"", "\"null\""),
    ];
    pass(&rules(&[("tierd.toml", CONFIG), ("rules/frozen.toml", frozen)]), &cases.concat());
}
