//! Expressions that are accepted, with their types and what they mean: casts that widen, literals that adapt, chains made flat.

#![allow(clippy::unwrap_used, reason = "a test stops where its rules are wrong")]

mod common;

use common::{CONFIG, load_with};
use tierd_rules::{Expr, ExprKind as K, MetricKind, RuleSet, code};

/// Type and meaning of a derived metric, in prefix form; a cast is written `decimal(4)<x>`.
fn meaning(expression: &str) -> (String, String) {
    let loaded = load_with(CONFIG, &format!("[metric.m]\nderived = '''{expression}'''\n"));
    let shown = || loaded.diagnostics.iter().map(|d| d.render(&loaded.files, false) + "\n").collect::<String>();
    let rules = loaded.rules.as_ref().unwrap_or_else(|| panic!("{expression}\n{}", shown()));
    let MetricKind::Derived(expr) = &rules.metric("m").unwrap().1.kind else { panic!("{expression} isn't derived") };
    assert_eq!(rules.quote(&expr.at), expression, "the place of the whole is the whole");
    (expr.ty.to_string(), prefix(expr, rules))
}

fn prefix(expr: &Expr, rules: &RuleSet) -> String {
    let form = |name: &str| {
        let parts: Vec<String> = expr.children().iter().map(|child| prefix(child, rules)).collect();
        format!("({name} {})", parts.join(" "))
    };
    let not = |negated: bool, name: &str| if negated { format!("not-{name}") } else { name.to_owned() };
    match &expr.kind {
        K::Literal(value) => format!("{value}"),
        K::Null => format!("null:{}", expr.ty),
        K::Column(index) => rules.metrics[*index].name.clone(),
        K::AsOf => "as_of".to_owned(),
        K::Today => "today".to_owned(),
        K::Floor(_) => form("floor"),
        K::Ceil(_) => form("ceil"),
        K::Compare(op, ..) => form(&format!("{op:?}")),
        K::Arith(op, ..) => form(&format!("{op:?}")),
        K::Between { negated, .. } => form(&not(*negated, "between")),
        K::In { list, negated, .. } => {
            let list: Vec<String> = list.iter().map(|value| format!("{value}:{}", value.ty())).collect();
            form(&format!("{}[{}]", not(*negated, "in"), list.join(",")))
        }
        K::IsNull { negated, .. } => form(&not(*negated, "null")),
        K::StartsWith { prefix, negated, .. } => form(&not(*negated, &format!("starts[{prefix}]"))),
        K::Round(_, digits) => form(&format!("round{digits}")),
        K::AddSpan(_, span) => form(&format!("plus[{span}]")),
        K::Cast(inner) => format!("{}<{}>", expr.ty, prefix(inner, rules)),
        K::Not(_) => form("not"),
        K::And(_) => form("and"),
        K::Or(_) => form("or"),
        K::Negate(_) => form("negate"),
        K::Abs(_) => form("abs"),
        K::Case { otherwise, .. } => form(if otherwise.is_some() { "case-else" } else { "case" }),
        K::Coalesce(_) => form("coalesce"),
        K::NullIf(..) => form("nullif"),
        K::Least(_) => form("least"),
        K::Greatest(_) => form("greatest"),
        K::DaysBetween(..) => form("days"),
        K::DateOf(_) => form("date"),
    }
}

/// Each row: expression, type, meaning. `visits` is an integer, `credit` decimal(2), `score` real, `city` text, `active` bool,
/// `joined_on` a date, `seen_at` a timestamp.
#[test]
fn expressions_have_these_types_and_meanings() {
    for (expression, ty, expected) in [
        // Literals.
        ("5", "integer", "5"),
        ("-5", "integer", "-5"),
        ("-9223372036854775808", "integer", "-9223372036854775808"),
        ("1.50", "decimal(2)", "1.50"),
        ("'it''s 武汉'", "text", "it's 武汉"),
        ("true", "bool", "true"),
        ("FALSE", "bool", "false"),
        ("date '2024-02-29'", "date", "2024-02-29"),
        ("DATE '2024-02-29'", "date", "2024-02-29"),
        ("timestamp '2024-01-01 08:00:00'", "timestamp", "2024-01-01T00:00:00Z"),
        ("timestamp '2024-01-01T08:00:00Z'", "timestamp", "2024-01-01T08:00:00Z"),
        ("today", "date", "today"),
        ("as_of", "timestamp", "as_of"),
        // Comparisons: decimals meet at the larger scale, literals adapt.
        ("visits > 5", "bool", "(Gt visits 5)"),
        ("5 < visits", "bool", "(Lt 5 visits)"),
        ("visits >= 2.5", "bool", "(Ge decimal(1)<visits> 2.5)"),
        ("credit = 5", "bool", "(Eq credit 5.00)"),
        ("credit <> 0.005", "bool", "(Ne decimal(3)<credit> 0.005)"),
        ("credit != visits", "bool", "(Ne credit decimal(2)<visits>)"),
        ("score <= 5", "bool", "(Le score 5)"),
        ("0.1 < score", "bool", "(Lt 0.1 score)"),
        ("city = '武汉'", "bool", "(Eq city 武汉)"),
        ("active = false", "bool", "(Eq active false)"),
        ("joined_on < today", "bool", "(Lt joined_on today)"),
        ("seen_at < as_of", "bool", "(Lt seen_at as_of)"),
        ("date(seen_at) = joined_on", "bool", "(Eq (date seen_at) joined_on)"),
        ("visits between 1 and 2.5", "bool", "(between decimal(1)<visits> 1.0 2.5)"),
        ("credit not between 1 and 2", "bool", "(not-between credit 1.00 2.00)"),
        ("visits in (1, 2)", "bool", "(in[1:integer,2:integer] visits)"),
        ("credit in (1, 2.125)", "bool", "(in[1.000:decimal(3),2.125:decimal(3)] decimal(3)<credit>)"),
        ("score not in (1, -2.5)", "bool", "(not-in[1:real,-2.5:real] score)"),
        ("city in ('a')", "bool", "(in[a:text] city)"),
        ("joined_on in (date '2024-01-01')", "bool", "(in[2024-01-01:date] joined_on)"),
        ("city like '武%'", "bool", "(starts[武] city)"),
        ("city not like 'a%'", "bool", "(not-starts[a] city)"),
        ("starts_with(city, 'a_%')", "bool", "(starts[a_%] city)"),
        ("city is null", "bool", "(null city)"),
        ("visits + 1 is not null", "bool", "(not-null (Add visits 1))"),
        // Logic: chains are flat, `not` binds less than a comparison, `and` more than `or`.
        ("active and active and active", "bool", "(and active active active)"),
        ("active or active and active or active", "bool", "(or active (and active active) active)"),
        ("(active and active) and (active and active)", "bool", "(and active active (and active active))"),
        ("not visits = 1 and active", "bool", "(and (not (Eq visits 1)) active)"),
        ("NOT (active OR active)", "bool", "(not (or active active))"),
        // Arithmetic: products add their scales, quotients have at least six digits.
        ("visits + 1", "integer", "(Add visits 1)"),
        ("visits + 0.5", "decimal(1)", "(Add decimal(1)<visits> 0.5)"),
        ("credit - visits", "decimal(2)", "(Sub credit decimal(2)<visits>)"),
        ("score - 1", "real", "(Sub score 1)"),
        ("visits * visits", "integer", "(Mul visits visits)"),
        ("visits * credit", "decimal(2)", "(Mul visits credit)"),
        ("credit * 1.5", "decimal(3)", "(Mul credit 1.5)"),
        ("score * 1.5", "real", "(Mul score 1.5)"),
        ("visits / 3", "decimal(6)", "(Div visits 3)"),
        ("credit / nullif(visits, 0)", "decimal(6)", "(Div credit (nullif visits 0))"),
        ("1.12345678 / nullif(credit, 0)", "decimal(8)", "(Div 1.12345678 (nullif credit 0.00))"),
        ("score / nullif(score, 0)", "real", "(Div score (nullif score 0))"),
        ("1 / cast(nullif(visits, 0) as real)", "real", "(Div 1 real<(nullif visits 0)>)"),
        ("1 / abs(-nullif(visits, 0))", "decimal(6)", "(Div 1 (abs (negate (nullif visits 0))))"),
        ("1 + 2 * 3 - 4", "integer", "(Sub (Add 1 (Mul 2 3)) 4)"),
        ("-visits * 2", "integer", "(Mul (negate visits) 2)"),
        ("- -5", "integer", "(negate -5)"),
        ("visits - -1", "integer", "(Sub visits -1)"),
        // Dates.
        ("today - interval '3 months'", "date", "(plus[-3 months] today)"),
        ("interval '1 year 2 days' + joined_on", "date", "(plus[12 months 2 days] joined_on)"),
        ("as_of - interval '2' day", "timestamp", "(plus[-2 days] as_of)"),
        ("days_between(joined_on, today)", "integer", "(days joined_on today)"),
        // Functions.
        ("abs(credit)", "decimal(2)", "(abs credit)"),
        ("round(credit)", "decimal(0)", "(round0 credit)"),
        ("round(visits, 2)", "decimal(2)", "(round2 visits)"),
        ("round(score, 1)", "real", "(round1 score)"),
        ("coalesce(credit, visits, 0)", "decimal(2)", "(coalesce credit decimal(2)<visits> 0.00)"),
        ("coalesce(null, city)", "text", "(coalesce null:text city)"),
        ("nullif(city, '')", "text", "(nullif city )"),
        ("least(visits, 1.5, null)", "decimal(1)", "(least decimal(1)<visits> 1.5 null:decimal(1))"),
        ("GREATEST(joined_on, today)", "date", "(greatest joined_on today)"),
        ("cast(credit as integer)", "integer", "integer<credit>"),
        ("cast(visits as decimal(3))", "decimal(3)", "decimal(3)<visits>"),
        ("cast(score as decimal(2))", "decimal(2)", "decimal(2)<score>"),
        ("cast(credit as real)", "real", "real<credit>"),
        ("cast(visits as integer)", "integer", "visits"),
        ("cast(1.5 as real)", "real", "1.5"),
        ("case when active then 1 when visits > 1 then 2.5 end", "decimal(1)", "(case active 1.0 (Gt visits 1) 2.5)"),
        ("case when active then null else 'x' end", "text", "(case-else active null:text x)"),
        ("case city when 'a' then 1 else 0 end", "integer", "(case-else (Eq city a) 1 0)"),
        // A name may be spelled like a function or a type.
        ("(((visits)))", "integer", "visits"),
    ] {
        assert_eq!(meaning(expression), (ty.to_owned(), expected.to_owned()), "{expression}");
    }
}

#[test]
fn aggregates_have_these_types() {
    for (aggregate, extra, ty) in [
        ("count(*)", "empty = 0", "integer"),
        ("count(status)", "empty = \"null\"", "integer"),
        ("count(distinct status)", "empty = 0", "integer"),
        ("count_distinct(date(ordered_at))", "empty = 0", "integer"),
        ("sum(amount)", "empty = 0.5", "decimal(2)"),
        ("SUM(items * amount)", "empty = 0", "decimal(2)"),
        ("sum(case when gift then 1 else 0 end)", "empty = 0", "integer"),
        ("sum(weight)", "empty = 0", "real"),
        ("avg(items)", "empty = \"null\"", "decimal(6)"),
        ("avg(amount * rate)", "empty = \"null\"", "decimal(8)"),
        ("avg(weight)", "empty = \"null\"", "real"),
        ("min(due_on)", "empty = 2024-01-31", "date"),
        ("max(ordered_at)", "empty = \"2024-01-31 08:00\"", "timestamp"),
        ("max(ordered_at)", "empty = 2024-01-31T08:00:00Z", "timestamp"),
        ("first(status)", "empty = \"none\"", "text"),
        ("last(gift)", "empty = false", "bool"),
        ("last(amount)", "empty = -1", "decimal(2)"),
        ("days_since(due_on)", "empty = \"null\"", "integer"),
        ("days_since(ordered_at)", "empty = 9999", "integer"),
        ("count(*)", "empty = 0\nper = \"month\"", "decimal(6)"),
        ("sum(amount)", "empty = 0\nper = \"day\"", "decimal(6)"),
        ("sum(rate * amount)", "empty = 0\nper = \"year\"", "decimal(8)"),
    ] {
        let rules = format!(
            "[metric.m]\nfrom = \"orders\"\naggregate = \"{aggregate}\"\nwindow = {{ last = \"12 months\" }}\n{extra}\n"
        );
        let loaded = load_with(CONFIG, &rules);
        assert_eq!(loaded.diagnostics, [], "{aggregate}");
        assert_eq!(loaded.rules.unwrap().metric("m").unwrap().1.ty.to_string(), ty, "{aggregate}");
    }
}

/// A metric that is used wherever a value may stand.
fn named(name: &str) -> String {
    let uses = "case when N between -N and (N) + 1 or N in (1) then N else coalesce(N, N) end".replace('N', name);
    format!("[metric.\"{name}\"]\nattribute = \"visits\"\n[metric.m]\nderived = \"{uses}\"\n")
}

#[test]
fn names_may_be_of_any_script_and_like_functions() {
    for name in [
        "年消费",
        "Ärger",
        "_x1",
        "date",
        "timestamp",
        "count",
        "round",
        "level",
        "group",
        "order",
        "user",
        "month",
        "rank",
        "left",
        "value",
        "key",
        "type",
        "status",
        "current",
        "position",
        "row",
        "table",
        "from",
        "where",
        "desc",
        "limit",
        "default",
    ] {
        assert_eq!(load_with(CONFIG, &named(name)).diagnostics, [], "{name}");
    }
}

#[test]
fn words_of_the_language_are_no_names() {
    for name in [
        "and", "OR", "not", "in", "is", "null", "between", "like", "case", "when", "then", "else", "end", "cast", "as",
        "interval", "true", "false", "distinct", "as_of", "today", "Today", "select", "1st", "a-b", "a b", "a.b", "",
        "'a'",
    ] {
        let diagnostics = load_with(CONFIG, &named(name)).diagnostics;
        assert!(diagnostics.iter().any(|d| d.code == code::BAD_NAME), "{name}: {diagnostics:?}");
    }
}
