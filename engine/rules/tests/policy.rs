//! Movement, points and retention rules: what is written becomes exactly this.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where its files are wrong")]

mod common;

use common::{CONFIG, load_with};
use tierd_model::{CalendarSpan, CalendarUnit, Date, MonthDay, Type, Value, Window, WindowKind};
use tierd_rules::{
    BookingKind, CompareOp, Expiry, ExprKind, FactsId, Lock, LockUntil, MetricId, MetricKind, Movement, Period,
    PointsId, PointsMeasure, RetentionRule, RuleSet, SubjectId, TierSet, TierSetId, Timing,
    retention::{Action, DateTrigger, Direction, EventValue, Exceed, Mode, Part, Reentry, RunLimit, Template, Trigger},
};

fn rules(text: &str) -> RuleSet {
    let loaded = load_with(CONFIG, text);
    let rendered: Vec<_> = loaded.diagnostics.iter().map(|one| one.render(&loaded.files, false)).collect();
    assert!(loaded.diagnostics.is_empty(), "{}", rendered.join("\n"));
    loaded.rules.unwrap()
}

const LEVELS: &str = "level = [{ name = \"C\" }, { name = \"B\", when = \"visits >= 5\" }]\n";

fn movement(keys: &str) -> Movement {
    let rules = rules(&format!("[tiers.value]\n{keys}\n{LEVELS}"));
    rules.tier_sets[0].movement
}

fn day(text: &str) -> MonthDay {
    MonthDay::parse(text).unwrap()
}

const MONTH: CalendarSpan = CalendarSpan::months(1);

#[test]
fn nothing_written_holds_whatever_is_earned() {
    let rules = rules(&format!("[tiers.value]\n{LEVELS}"));
    let set = &rules.tier_sets[0];
    assert_eq!((set.movement, set.ordered), (Movement::AT_ONCE, true));
    assert!(set.levels.iter().all(|level| level.keep.is_none()));
}

#[test]
fn every_form_of_movement() {
    let at_once = Movement::AT_ONCE;
    let year = Period::Calendar(CalendarUnit::Year);
    let lock = |until, renew| Some(Lock { until, renew });
    let march = Date::from_ymd(2027, 3, 31).unwrap();
    for (keys, expected) in [
        ("upgrade = \"at once\"\ndowngrade = \"at once\"", at_once),
        ("upgrade = \"never\"", Movement { upgrade: Timing::Never, ..at_once }),
        ("upgrade = \"at period end\"", Movement { upgrade: Timing::AtPeriodEnd, period: year, ..at_once }),
        ("downgrade = \"never\"", Movement { downgrade: Timing::Never, ..at_once }),
        ("downgrade = {}", at_once),
        ("downgrade = { after = \"1 month\", steps = 2 }", Movement { grace: Some(MONTH), steps: Some(2), ..at_once }),
        (
            "downgrade = { when = \"at period end\", after = \"1 month\" }\nperiod = \"quarter\"",
            Movement {
                downgrade: Timing::AtPeriodEnd,
                grace: Some(MONTH),
                period: Period::Calendar(CalendarUnit::Quarter),
                ..at_once
            },
        ),
        (
            "upgrade = \"at period end\"\nperiod = { program_year = \"04-01\" }",
            Movement { upgrade: Timing::AtPeriodEnd, period: Period::ProgramYear(day("04-01")), ..at_once },
        ),
        ("lock = \"12 months\"", Movement { lock: lock(LockUntil::Span(CalendarSpan::months(12)), false), ..at_once }),
        (
            "lock = \"period end\"\nperiod = \"month\"",
            Movement {
                lock: lock(LockUntil::PeriodEnd, false),
                period: Period::Calendar(CalendarUnit::Month),
                ..at_once
            },
        ),
        (
            "lock = { until = \"next period end\", renew = true }",
            Movement { lock: lock(LockUntil::NextPeriodEnd, true), ..at_once },
        ),
        ("lock = 2027-03-31", Movement { lock: lock(LockUntil::Day(march), false), ..at_once }),
        ("lock = { until = \"2027-03-31\" }", Movement { lock: lock(LockUntil::Day(march), false), ..at_once }),
        ("lock = { until = \"1 month\" }", Movement { lock: lock(LockUntil::Span(MONTH), false), ..at_once }),
    ] {
        assert_eq!(movement(keys), expected, "{keys}");
    }
}

#[test]
fn levels_without_order_are_said_to_have_none() {
    let rules = rules(&format!("[tiers.value]\nordered = false\nallow = [\"overlapping-levels\"]\n{LEVELS}"));
    let set = &rules.tier_sets[0];
    assert_eq!((set.ordered, set.movement), (false, Movement::AT_ONCE));
    assert_eq!(set.allow, ["overlapping-levels"]);
}

#[test]
fn keep_is_a_condition_of_its_own() {
    let rules = rules(
        "[tiers.value]\nlevel = [{ name = \"C\" }, { name = \"B\", when = \"visits >= 5\", keep = \"credit > 9\" }]\n",
    );
    let level = &rules.tier_sets[0].levels[1];
    assert_eq!(rules.quote(&level.keep.as_ref().unwrap().at), "credit > 9");
    let names: Vec<_> = rules.tier_sets[0].metrics().into_iter().map(|id| &*rules.metrics[id.0].name).collect();
    assert_eq!(names, ["visits", "credit"]);
}

/// The measure's name, the threshold and the quotes of a `from`.
fn threshold(set: &TierSet, rules: &RuleSet, level: usize) -> (String, Value, String, String) {
    let when = set.levels[level].when.as_ref().unwrap();
    let ExprKind::Compare(CompareOp::Ge, left, right) = &when.kind else {
        panic!("{when:?}");
    };
    let ExprKind::Literal(value) = &right.kind else {
        panic!("{right:?}");
    };
    assert_eq!(left.ty, right.ty);
    (rules.quote(&left.at).into(), value.clone(), rules.quote(&when.at).into(), rules.quote(&right.at).into())
}

#[test]
fn from_is_a_condition_as_if_written() {
    let text = |value: &str| value.to_owned();
    let rules = rules(
        "[tiers.a]\nof = \"visits\"\nlevel = [{ name = \"C\" }, { name = \"B\", from = 50 }]\n\
         [tiers.b]\nof = \"credit\"\nlevel = [{ name = \"B\", from = 0.5 }]\n\
         [tiers.c]\nof = \"joined_on\"\n[[tiers.c.level]]\nfrom = 2024-01-31\nname = \"B\"\n\
         [tiers.d]\nof = \"visits * 2 + 1\"\nlevel = [{ name = \"B\", from = 1_000 }]\n\
         [tiers.e]\nof = \"score\"\nlevel = [{ name = \"B\", from = 3 }]\n",
    );
    let found = |set: usize, level| threshold(&rules.tier_sets[set], &rules, level);
    assert_eq!(found(0, 1), (text("visits"), Value::Integer(50), text("from = 50"), text("50")));
    let half = tierd_model::Decimal { units: 50, scale: 2 };
    assert_eq!(found(1, 0), (text("credit"), Value::Decimal(half), text("from = 0.5"), text("0.5")));
    let date = tierd_model::parse_date(b"2024-01-31").unwrap();
    assert_eq!(found(2, 0), (text("joined_on"), Value::Date(date), text("from = 2024-01-31"), text("2024-01-31")));
    assert_eq!(found(3, 0), (text("visits * 2 + 1"), Value::Integer(1000), text("from = 1_000"), text("1_000")));
    assert_eq!(found(4, 0).1, Value::Real(3.0));
}

const CLUB: &str = r#"
[points.club]
title = "积分"
digits = 1
expire = { after = "12 months", at = "quarter end" }

[[points.club.earn]]
title = "purchases"
from = "orders"
where = "status = 'paid'"
points = "amount / 10"

[[points.club.spend]]
from = "orders"
where = "gift"
points = 2.5

[[points.club.refund]]
from = "orders"
where = "status = 'returned'"
points = "items"

[points.stamps]
expire = { on = ["12-31", "06-30"] }
earn = [{ from = "orders", points = 1 }]

[points.air]
subject = "customer"
earn = [{ from = "orders", points = "items * 2" }]
"#;

#[test]
fn points_programs_are_as_written() {
    let rules = rules(CLUB);
    let names: Vec<_> = rules.points.iter().map(|program| (&*program.name, program.ty(), &program.expiry)).collect();
    let quarter = Expiry::After(CalendarSpan::months(12), Some(CalendarUnit::Quarter));
    let clearing = Expiry::Clearing(vec![day("06-30"), day("12-31")]);
    assert_eq!(
        names,
        [
            ("air", Type::Integer, &Expiry::Never),
            ("club", Type::Decimal(1), &quarter),
            ("stamps", Type::Integer, &clearing)
        ]
    );
    let club = &rules.points[1];
    assert_eq!((club.title.as_deref(), club.subject, club.digits), (Some("积分"), SubjectId(0), 1));
    let kinds: Vec<_> = club.bookings.iter().map(|booking| (booking.kind, booking.points.ty)).collect();
    assert_eq!(
        kinds,
        [
            (BookingKind::Earn, Type::Decimal(6)),
            (BookingKind::Spend, Type::Decimal(1)),
            (BookingKind::Refund, Type::Integer)
        ]
    );
    let earn = &club.bookings[0];
    assert_eq!((earn.title.as_deref(), earn.facts), (Some("purchases"), FactsId(0)));
    assert_eq!(rules.quote(&earn.filter.as_ref().unwrap().at), "status = 'paid'");
    assert_eq!(rules.quote(&club.bookings[1].points.at), "2.5");
}

#[test]
fn metrics_tell_of_points() {
    let program = PointsId(1);
    let window = |kind, offset| Window { kind, offset };
    for (metric, ty, measure) in [
        ("points = \"club.balance\"", Type::Decimal(1), PointsMeasure::Balance),
        ("points = \"club.earned\"", Type::Decimal(1), PointsMeasure::Earned(window(WindowKind::Lifetime, 0))),
        (
            "points = \"club.spent\"\nwindow = { calendar = \"year\", offset = 1 }",
            Type::Decimal(1),
            PointsMeasure::Spent(window(WindowKind::Calendar(CalendarUnit::Year), 1)),
        ),
        (
            "points = \"club.expired\"\nwindow = \"lifetime\"",
            Type::Decimal(1),
            PointsMeasure::Expired(window(WindowKind::Lifetime, 0)),
        ),
        (
            "points = \"club.expiring\"\nwithin = \"30 days\"",
            Type::Decimal(1),
            PointsMeasure::Expiring(CalendarSpan::days(30)),
        ),
        ("points = \"club.next_expiry\"\nsubject = \"customer\"", Type::Date, PointsMeasure::NextExpiry),
    ] {
        let rules = rules(&format!("[metric.m]\n{metric}\n{CLUB}"));
        let found = &rules.metrics[0];
        assert_eq!((found.ty, found.subject), (ty, SubjectId(0)), "{metric}");
        let MetricKind::Points { program: found, measure: told } = &found.kind else {
            panic!("{found:?}");
        };
        assert_eq!((*found, told), (program, &measure), "{metric}");
    }
}

const VALUE: &str = r#"
[tiers.value]
[[tiers.value.level]]
name = "C"
strategy = { touch = "mail" }
[[tiers.value.level]]
name = "B"
when = "visits >= 5"
benefits = { discount = 0.9 }
strategy = { owner = "inside-sales", every = "90 days" }
[[tiers.value.level]]
name = "A"
when = "visits >= 10"
"#;

fn retention(keys: &str) -> (RuleSet, RetentionRule) {
    let rules = rules(&format!("{VALUE}\n[retention.r]\n{keys}\naction = {{ task = \"call\" }}"));
    let rule = rules.retention[0].clone();
    (rules, rule)
}

#[test]
fn a_rule_without_limits_has_none() {
    let (rules, rule) = retention("when = \"visits = 0\"");
    assert_eq!((&*rule.name, rule.subject, rule.trigger.clone()), ("r", SubjectId(0), Trigger::State));
    assert_eq!(rules.quote(&rule.when.as_ref().unwrap().at), "visits = 0");
    assert_eq!((rule.hold_for, rule.reentry, rule.cooldown), (None, Reentry::OncePerEntry, None));
    assert_eq!((rule.limit, rule.group, rule.priority), (None, None, 0));
    assert_eq!((rule.holdout, rule.mode, rule.strategy_of), (0, Mode::Live, Some(TierSetId(0))));
    assert!(rule.goal.is_none() && rule.allow.is_empty() && rule.title.is_none());
}

#[test]
fn every_limit_of_a_rule() {
    let (rules, rule) = retention(
        r#"
        title = "win back"
        subject = "customer"
        when = "visits = 0"
        for = "2 days"
        reentry = { every = "30 days" }
        cooldown = "3 months"
        limit = { per_run = 5000, exceed = "hold" }
        group = "contact"
        priority = -10
        holdout = "12.5%"
        mode = "shadow"
        strategy = "value"
        goal = { from = "orders", where = "status = 'paid'", within = "30 days" }
        allow = ["overlapping-rules"]
        "#,
    );
    assert_eq!(rule.title.as_deref(), Some("win back"));
    assert_eq!(rule.hold_for, Some(CalendarSpan::days(2)));
    assert_eq!(rule.reentry, Reentry::Every(CalendarSpan::days(30)));
    assert_eq!(rule.cooldown, Some(CalendarSpan::months(3)));
    assert_eq!(rule.limit, Some(RunLimit { per_run: 5000, exceed: Exceed::Hold }));
    assert_eq!((rule.group.as_deref(), rule.priority), (Some("contact"), -10));
    assert_eq!((rule.holdout, rule.mode), (125_000, Mode::Shadow));
    assert_eq!(rule.allow, ["overlapping-rules"]);
    let goal = rule.goal.unwrap();
    assert_eq!((goal.facts, goal.within), (FactsId(0), CalendarSpan::days(30)));
    assert_eq!(rules.quote(&goal.filter.unwrap().at), "status = 'paid'");
    let (_, rule) = retention("when = \"active\"\nlimit = { per_run = 1 }\nreentry = \"once\"\nholdout = \"0.0001%\"");
    assert_eq!(rule.limit, Some(RunLimit { per_run: 1, exceed: Exceed::Defer }));
    assert_eq!((rule.reentry, rule.holdout), (Reentry::Once, 1));
}

#[test]
fn every_trigger() {
    let none = CalendarSpan::days(0);
    let moved = |direction, from: &[u16], to: &[u16]| Trigger::Moved {
        set: TierSetId(0),
        direction,
        from: from.to_vec(),
        to: to.to_vec(),
    };
    let joined = DateTrigger::On(MetricId(1));
    let dated = |day, from, until| Trigger::Date { day, from, until };
    for (keys, expected) in [
        ("moved = \"down\"", moved(Direction::Down, &[], &[])),
        ("moved = \"up\"\nfor = \"1 day\"", moved(Direction::Up, &[], &[])),
        ("moved = { set = \"value\" }", moved(Direction::Any, &[], &[])),
        (
            "moved = { direction = \"down\", from = [\"A\", \"B\"], to = [\"C\"] }",
            moved(Direction::Down, &[2, 1], &[0]),
        ),
        ("follow_up = \"value\"", Trigger::FollowUp(TierSetId(0))),
        ("on = \"joined_on\"", dated(joined, none, none)),
        (
            "on = \"anniversary of joined_on\"\nbefore = \"7 days\"",
            dated(DateTrigger::Anniversary(MetricId(1)), CalendarSpan::days(-7), none),
        ),
        (
            "on = \"joined_on\"\nafter = \"2 years\"\nlate = \"1 month\"",
            dated(joined, CalendarSpan::months(24), CalendarSpan::months(25)),
        ),
        (
            "on = \"12-24\"\nbefore = \"1 week\"\nlate = \"2 days\"\nreentry = \"once\"",
            dated(DateTrigger::Yearly(day("12-24")), CalendarSpan::days(-7), CalendarSpan::days(2)),
        ),
    ] {
        let (_, rule) = retention(keys);
        assert_eq!(rule.trigger, expected, "{keys}");
        assert!(rule.when.is_none());
    }
}

/// A template, its metrics by their names.
fn shown(template: &Template, rules: &RuleSet) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => format!("[{text}]"),
        Part::Key => "<key>".to_owned(),
        Part::Metric(id) => format!("<{}>", rules.metrics[id.0].name),
        Part::Strategy(key) => format!("<strategy {key}>"),
        Part::Benefit(key) => format!("<benefit {key}>"),
    };
    template.parts.iter().map(part).collect()
}

fn datum(value: &EventValue, rules: &RuleSet) -> String {
    match value {
        EventValue::Json(json) => json.to_string(),
        EventValue::Template(template) => shown(template, rules),
        EventValue::List(all) => {
            format!("({})", all.iter().map(|value| datum(value, rules)).collect::<Vec<_>>().join("; "))
        }
        EventValue::Table(named) => {
            let entries = named.iter().map(|(name, value)| format!("{name}: {}", datum(value, rules)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join("; "))
        }
    }
}

#[test]
fn texts_name_what_is_put_into_them() {
    let rules = rules(&format!(
        r#"{VALUE}
        [metric.credit_rank]
        rank = "credit desc"
        [retention.r]
        when = "active"
        action = {{ task = "call {{name}} ({{key}})", owner = "{{owner}}", channel = "{{touch}}", due = "3 days", text = "{{{{rank}}}} {{ credit_rank }}, {{benefits.discount}}", escalate = {{ after = "2 days", to = "boss of {{owner}}" }} }}
        "#
    ));
    let Action::Task(task) = &rules.retention[0].action else {
        panic!("{:?}", rules.retention[0].action);
    };
    let shown = |template: &Option<Template>| shown(template.as_ref().unwrap(), &rules);
    assert_eq!(shown(&Some(task.title.clone())), "[call ]<name>[ (]<key>[)]");
    assert_eq!(shown(&task.owner), "<strategy owner>");
    assert_eq!(shown(&task.channel), "<strategy touch>");
    assert_eq!(shown(&task.text), "[{rank} ]<credit_rank>[, ]<benefit discount>");
    let escalate = task.escalate.as_ref().unwrap();
    assert_eq!((task.due, escalate.after), (Some(CalendarSpan::days(3)), CalendarSpan::days(2)));
    assert_eq!(shown(&Some(escalate.to.clone())), "[boss of ]<strategy owner>");
    assert_eq!(rules.quote(&task.title.at), "\"call {name} ({key})\"");
    assert!(rules.metric("name").unwrap().1.implicit, "a text makes a metric of an attribute");
}

#[test]
fn events_carry_texts_and_other_data() {
    let rules = rules(
        r#"
        [retention.r]
        when = "active"
        action = { event = "coupon", data = { value = 50, city = "{city}", note = "", list = [1, { a = "b", key = "{key}" }] } }
        "#,
    );
    let Action::Event(event) = &rules.retention[0].action else {
        panic!("{:?}", rules.retention[0].action);
    };
    assert_eq!(shown(&event.name, &rules), "[coupon]");
    let data: Vec<_> = event.data.iter().map(|(name, value)| format!("{name}: {}", datum(value, &rules))).collect();
    assert_eq!(data, ["value: 50", "city: <city>", "note: \"\"", "list: (1; {a: [b]; key: <key>})"]);
    assert_eq!(rules.retention[0].strategy_of, None);
}

#[test]
fn rules_are_in_the_order_of_their_names() {
    let rule = |name: &str| format!("[retention.{name}]\nwhen = \"active\"\naction = {{ task = \"call\" }}\n");
    let rules = rules(&["b", "c", "a"].map(rule).concat());
    let names: Vec<_> = rules.retention.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn a_metric_is_used_by_rules_texts_dates_and_measures() {
    let metrics = "[metric.a]\nattribute = \"visits\"\n[metric.b]\nattribute = \"city\"\n[metric.c]\nattribute = \
                   \"joined_on\"\n[metric.d]\nattribute = \"credit\"\n";
    let rule = "[retention.r]\non = \"c\"\nwhen = \"a > 1\"\naction = { task = \"{b}\" }\n";
    let set = "[tiers.t]\nof = \"d\"\nlevel = [{ name = \"x\", from = 1 }]\n";
    rules(&format!("{metrics}{rule}{set}"));
}

#[test]
fn lints_are_allowed_where_it_is_said() {
    let metric = "[metric.lonely]\nattribute = \"visits\"\n";
    let loaded = load_with(CONFIG, &format!("{metric}[tiers.value]\n{LEVELS}"));
    assert_eq!(loaded.diagnostics.len(), 1);
    let allowed = rules(&format!("{metric}allow = [\"unused-metric\"]\n[tiers.value]\n{LEVELS}"));
    assert_eq!(allowed.metric("lonely").unwrap().1.allow, ["unused-metric"]);
    rules(&format!(
        "[metric.city]\nderived = \"visits > 3\"\nallow = [\"shadowed-attribute\", \"unused-metric\"]\n[tiers.value]\n{LEVELS}"
    ));
}

#[test]
fn levels_are_named_in_texts_and_say_whose_strategy_is_meant() {
    let rules = rules(
        r#"
        [tiers.value]
        level = [{ name = "C", strategy = { owner = "sales" } }, { name = "B", when = "visits >= 5", keep = "was = 'B' and visits > 3" }]
        [tiers.region]
        level = [{ name = "far" }]
        [retention.r]
        when = "tier.value = 'B'"
        on = "since.region"
        action = { task = "{tier.value}, was {was.value}", owner = "{owner}" }
        "#,
    );
    let rule = &rules.retention[0];
    let value = TierSetId(1);
    assert_eq!((rule.strategy_of, &*rules.tier_sets[1].name), (Some(value), "value"));
    let Action::Task(task) = &rule.action else {
        panic!("{:?}", rule.action);
    };
    assert_eq!(shown(&task.title, &rules), "<tier.value>[, was ]<was.value>");
    assert_eq!(shown(task.owner.as_ref().unwrap(), &rules), "<strategy owner>");
    let Trigger::Date { day: DateTrigger::On(since), .. } = rule.trigger else {
        panic!("{:?}", rule.trigger);
    };
    assert_eq!(rules.metrics[since.0].name, "since.region");
    let keep = rules.tier_sets[1].levels[1].keep.as_ref().unwrap();
    let read: Vec<_> = keep.columns().into_iter().map(|id| &*rules.metrics[id].name).collect();
    assert_eq!(read, ["was.value", "visits"]);
}

#[test]
fn sets_per_category_share_policy_and_thresholds() {
    let rules = rules(
        r#"
        [metric.amount_by]
        from = "orders"
        aggregate = "sum(amount)"
        window = "lifetime"
        empty = 0
        by = "status"
        [tiers.price]
        per = "category"
        categories = ["a", "b"]
        downgrade = "never"
        of = "amount_by"
        level = [{ name = "C" }, { name = "B", from = 100, keep = "amount_by > 50" }]
        [retention.r]
        moved = { set = "price[b]", to = ["B"] }
        action = { task = "{tier.price[b]}" }
        "#,
    );
    let sets: Vec<_> = rules.tier_sets.iter().map(|set| (&*set.name, set.movement.downgrade)).collect();
    assert_eq!(sets, [("price[a]", Timing::Never), ("price[b]", Timing::Never)]);
    for set in &rules.tier_sets {
        let names: Vec<_> = set.metrics().into_iter().map(|id| rules.metrics[id.0].name.clone()).collect();
        assert_eq!(names, [set.name.replace("price", "amount_by")]);
    }
    assert_eq!(rules.retention[0].strategy_of, Some(TierSetId(1)));
}
