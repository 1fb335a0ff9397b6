//! From sqlparser's tree to [`Node`]: what the rule language has, and for everything else what to write in its place.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, Expr as Sql, Spanned, TypedString, UnaryOperator, Value,
};
use sqlparser::ast::{ExactNumberInfo, Interval, TimezoneInfo};
use tierd_model::{CalendarSpan, Decimal, MAX_SCALE, parse_date, parse_timestamp};

use super::{
    node::{CastType, Node, NodeKind},
    parse::too_deep,
    tokens::{Run, Tokens},
};
use crate::{
    code,
    diagnostic::Diagnostic,
    expr::{ArithOp, CompareOp},
};

mod call;

/// The height of the tallest tree. Lists of `and` and `or` count once, however long.
const MAX_HEIGHT: usize = 100;

/// Lowers a whole expression; `None` where something is reported.
pub(super) fn lower(tree: &Sql, tokens: &Tokens<'_>, out: &mut Vec<Diagnostic>) -> Option<Node> {
    let part = Lower { tokens, out }.part(tree, 0)?;
    let whole = Run { first: 0, last: tokens.all().len() - 1 };
    if part.run != whole {
        // sqlparser has taken in words that its tree doesn't show.
        let extra = if part.run.first > 0 { 0 } else { part.run.last + 1 };
        let headline = format!("`{}` isn't part of the rule language here", tokens.all()[extra].token);
        out.push(Diagnostic::error(code::NOT_SUPPORTED, &tokens.locate_token(extra), headline));
        return None;
    }
    Some(part.node)
}

struct Lower<'a> {
    tokens: &'a Tokens<'a>,
    out: &'a mut Vec<Diagnostic>,
}

/// A node, the tokens that it is made of, and the height of its tree.
struct Part {
    node: Node,
    run: Run,
    height: usize,
}

impl Lower<'_> {
    fn part(&mut self, sql: &Sql, depth: usize) -> Option<Part> {
        if depth > MAX_HEIGHT {
            self.out.push(too_deep(&self.tokens.locate_token(0)));
            return None;
        }
        match sql {
            Sql::BinaryOp { .. } => self.binary(sql, depth),
            Sql::Identifier(name) => {
                let at = self.tokens.find(name.span);
                self.leaf(NodeKind::Name(name.value.as_str().into()), Run { first: at, last: at })
            }
            Sql::Value(value) => {
                let at = self.tokens.find(value.span);
                self.literal(&value.value, "", Run { first: at, last: at })
            }
            Sql::Nested(inner) => {
                let part = self.part(inner, depth + 1)?;
                let run = Run { first: part.run.first.saturating_sub(1), last: part.run.last + 1 };
                Some(self.rerun(part, run))
            }
            Sql::UnaryOp { op, expr } => self.unary(*op, expr, depth),
            Sql::TypedString(text) => self.typed_string(text),
            Sql::Interval(interval) => self.interval(interval),
            Sql::Function(function) => self.call(function, depth),
            Sql::Cast { kind: CastKind::Cast, expr, data_type, format: None } => self.cast(expr, data_type, depth),
            Sql::Case { case_token, end_token, operand, conditions, else_result } => {
                let first = self.tokens.find(case_token.0.span);
                let run = Run { first, last: self.tokens.find(end_token.0.span) };
                self.case(operand.as_deref(), conditions, else_result.as_deref(), run, depth)
            }
            _ => self.predicate(sql, depth),
        }
    }

    /// `is null`, `between`, `in`, `like`.
    fn predicate(&mut self, sql: &Sql, depth: usize) -> Option<Part> {
        match sql {
            Sql::IsNull(value) => self.is_null(value, false, depth),
            Sql::IsNotNull(value) => self.is_null(value, true, depth),
            Sql::Between { expr, negated, low, high } => {
                let (value, low, high) =
                    (self.part(expr, depth + 1), self.part(low, depth + 1), self.part(high, depth + 1));
                let (value, low, high) = (value?, low?, high?);
                let run = value.run.join(high.run);
                let height = value.height.max(low.height).max(high.height);
                let (value, low, high) = (Box::new(value.node), Box::new(low.node), Box::new(high.node));
                self.finish(NodeKind::Between { value, low, high, negated: *negated }, run, height)
            }
            Sql::InList { expr, list, negated } => {
                let value = self.part(expr, depth + 1);
                let list: Vec<_> = list.iter().map(|item| self.part(item, depth + 1)).collect();
                let (value, list) = (value?, list.into_iter().collect::<Option<Vec<_>>>()?);
                let open = value.run.last + if *negated { 3 } else { 2 };
                let run = Run { first: value.run.first, last: self.tokens.closing(open) };
                let height = list.iter().map(|item| item.height).chain([value.height]).max().unwrap_or(0);
                let list = list.into_iter().map(|item| item.node).collect();
                self.finish(NodeKind::In { value: Box::new(value.node), list, negated: *negated }, run, height)
            }
            Sql::Like { negated, any: false, expr, pattern, escape_char: None } => {
                let (value, pattern) = (self.part(expr, depth + 1), self.part(pattern, depth + 1));
                let (value, pattern) = (value?, pattern?);
                let (run, height) = (value.run.join(pattern.run), value.height.max(pattern.height));
                let (value, pattern) = (Box::new(value.node), Box::new(pattern.node));
                self.finish(NodeKind::Like { value, pattern, negated: *negated }, run, height)
            }
            other => self.foreign(other),
        }
    }

    /// A chain of operators, from its left end: chains are long, so there is no recursion along them.
    fn binary(&mut self, sql: &Sql, depth: usize) -> Option<Part> {
        let (mut chain, mut leftmost) = (vec![], sql);
        while let Sql::BinaryOp { left, op, right } = leftmost {
            chain.push((op, &**right));
            leftmost = left;
        }
        let mut left = self.part(leftmost, depth + 1);
        for (op, right) in chain.into_iter().rev() {
            let right = self.part(right, depth + 1);
            left = match (left, right) {
                (Some(left), Some(right)) => self.operator(left, op, right),
                _ => None,
            };
        }
        left
    }

    fn operator(&mut self, left: Part, op: &BinaryOperator, right: Part) -> Option<Part> {
        use BinaryOperator as B;
        let (run, height) = (left.run.join(right.run), left.height.max(right.height));
        let compare = |op| move |a, b| NodeKind::Compare(op, a, b);
        let two: Box<dyn Fn(Box<Node>, Box<Node>) -> NodeKind> = match op {
            B::And | B::Or => return self.logic(left, matches!(op, B::And), right),
            B::Eq => Box::new(compare(CompareOp::Eq)),
            B::NotEq => Box::new(compare(CompareOp::Ne)),
            B::Lt => Box::new(compare(CompareOp::Lt)),
            B::LtEq => Box::new(compare(CompareOp::Le)),
            B::Gt => Box::new(compare(CompareOp::Gt)),
            B::GtEq => Box::new(compare(CompareOp::Ge)),
            B::Plus => Box::new(|a, b| NodeKind::Arith(ArithOp::Add, a, b)),
            B::Minus => Box::new(|a, b| NodeKind::Arith(ArithOp::Sub, a, b)),
            B::Multiply => Box::new(|a, b| NodeKind::Arith(ArithOp::Mul, a, b)),
            B::Divide => Box::new(|a, b| NodeKind::Arith(ArithOp::Div, a, b)),
            other => {
                let at = self.tokens.locate_token(left.run.last + 1);
                let help = "operators are =, <>, <, <=, >, >=, +, -, *, /, and, or, not";
                let headline = format!("`{other}` is no operator here");
                self.out.push(Diagnostic::error(code::NOT_SUPPORTED, &at, headline).help(help));
                return None;
            }
        };
        self.finish(two(Box::new(left.node), Box::new(right.node)), run, height)
    }

    /// `and` and `or`: a chain becomes one list.
    fn logic(&mut self, left: Part, and: bool, right: Part) -> Option<Part> {
        let run = left.run.join(right.run);
        let height = left.height.max(right.height + 1);
        let (mut all, grown) = match left.node.kind {
            NodeKind::And(all) if and => (all, height),
            NodeKind::Or(all) if !and => (all, height),
            kind => (vec![Node { kind, at: left.node.at }], height.max(left.height + 1)),
        };
        all.push(right.node);
        let kind = if and { NodeKind::And(all) } else { NodeKind::Or(all) };
        self.finish(kind, run, grown - 1)
    }

    fn unary(&mut self, op: UnaryOperator, inner: &Sql, depth: usize) -> Option<Part> {
        if let (UnaryOperator::Minus, Sql::Value(value)) = (op, inner) {
            let last = self.tokens.find(value.span);
            return self.literal(&value.value, "-", Run { first: last.saturating_sub(1), last });
        }
        let part = self.part(inner, depth + 1)?;
        let first = part.run.first.saturating_sub(1);
        let (run, height) = (Run { first, last: part.run.last }, part.height);
        match op {
            UnaryOperator::Not => self.finish(NodeKind::Not(Box::new(part.node)), run, height),
            UnaryOperator::Minus => self.finish(NodeKind::Negate(Box::new(part.node)), run, height),
            UnaryOperator::Plus => self.not_supported(Run { first, last: first }, "`+` before a value", "leave it out"),
            _ => self.not_supported(Run { first, last: first }, &format!("`{op}` is no operator here"), "use `not`"),
        }
    }

    fn literal(&mut self, value: &Value, sign: &str, run: Run) -> Option<Part> {
        let kind = match value {
            Value::Number(digits, _) => return self.number(&format!("{sign}{digits}"), run),
            _ if !sign.is_empty() => {
                return self.not_supported(run, "a minus before something other than a number", "leave it out");
            }
            Value::SingleQuotedString(text) => NodeKind::Text(text.as_str().into()),
            Value::Boolean(value) => NodeKind::Bool(*value),
            Value::Null => NodeKind::Null,
            _ => {
                return self.not_supported(
                    run,
                    "this kind of value isn't part of the rule language",
                    "text is written 'so'",
                );
            }
        };
        self.leaf(kind, run)
    }

    fn number(&mut self, digits: &str, run: Run) -> Option<Part> {
        let error = |code, headline: String, help: &str| {
            Some(Diagnostic::error(code, &self.tokens.locate(run), headline).help(help))
        };
        let plain = digits.trim_start_matches('-');
        let problem = if plain.contains(['e', 'E']) {
            error(code::NOT_SUPPORTED, "a number with an exponent".into(), "write all its digits")
        } else if plain.starts_with('.') || plain.ends_with('.') {
            error(
                code::EXPRESSION_SYNTAX,
                format!("`{digits}` needs digits on both sides of the point"),
                "write 0.5 or 5",
            )
        } else {
            None
        };
        if let Some(problem) = problem {
            self.out.push(problem);
            return None;
        }
        let kind = if plain.contains('.') {
            Decimal::parse(digits).filter(|d| d.scale <= MAX_SCALE).map(NodeKind::Decimal)
        } else {
            digits.parse().ok().map(NodeKind::Integer)
        };
        if kind.is_none() {
            let headline = format!("the number {digits} has too many digits");
            let help = format!(
                "whole numbers go up to {}; decimals have at most {MAX_SCALE} digits after the point and 38 in all",
                i64::MAX
            );
            self.out.push(Diagnostic::error(code::TOO_MANY_DIGITS, &self.tokens.locate(run), headline).help(help));
        }
        self.leaf(kind?, run)
    }

    /// `date '…'` and `timestamp '…'`.
    fn typed_string(&mut self, typed: &TypedString) -> Option<Part> {
        let last = self.tokens.find(typed.value.span);
        let run = Run { first: last.saturating_sub(1), last };
        let Value::SingleQuotedString(text) = &typed.value.value else {
            return self.not_supported(run, "a typed value without text", "write date '2024-01-31'");
        };
        let (found, form) = match &typed.data_type {
            DataType::Date => (parse_date(text.as_bytes()).map(NodeKind::Date), "date '2024-01-31'"),
            DataType::Timestamp(None, TimezoneInfo::None) => {
                (parse_timestamp(text.as_bytes()).map(NodeKind::Timestamp), "timestamp '2024-01-31 08:00:00'")
            }
            _ => {
                return self.not_supported(
                    run,
                    "no value is written like this",
                    "there are date '…', timestamp '…' and interval '…'",
                );
            }
        };
        if found.is_none() {
            let headline = format!("'{text}' is no {}", form.split(' ').next().unwrap_or("date"));
            let help = format!("write it as {form}");
            self.out.push(Diagnostic::error(code::BAD_LITERAL, &self.tokens.locate_token(last), headline).help(help));
        }
        self.leaf(found?, run)
    }

    /// `interval '3 months'` and `interval '3' month`.
    fn interval(&mut self, interval: &Interval) -> Option<Part> {
        let value = self.tokens.find(interval.value.span());
        let last = value + usize::from(interval.leading_field.is_some());
        let run = Run { first: value.saturating_sub(1), last };
        let text = match &*interval.value {
            Sql::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => Some(text.as_str()),
                _ => None,
            },
            _ => None,
        };
        let unit = match interval.leading_field {
            Some(_) => self.tokens.all().get(last).map(|token| token.to_string().to_lowercase()).unwrap_or_default(),
            None => String::new(),
        };
        match text.map(|text| CalendarSpan::parse(&format!("{text} {unit}"))) {
            Some(Ok(span)) => self.leaf(NodeKind::Interval(span), run),
            _ => {
                let help =
                    "write interval '3 months': a whole number above 0 and days, weeks, months, quarters or years";
                let diagnostic = Diagnostic::error(code::BAD_LITERAL, &self.tokens.locate(run), "this is no interval");
                self.out.push(diagnostic.help(help));
                None
            }
        }
    }

    fn is_null(&mut self, value: &Sql, negated: bool, depth: usize) -> Option<Part> {
        let part = self.part(value, depth + 1)?;
        let last = part.run.last + if negated { 3 } else { 2 };
        let run = Run { first: part.run.first, last };
        if !self.tokens.is_word(part.run.last + 1, "is") {
            return self.not_supported(run, "not a way to ask for NULL", "write `is null` or `is not null`");
        }
        let height = part.height;
        self.finish(NodeKind::IsNull { value: Box::new(part.node), negated }, run, height)
    }

    fn case(
        &mut self,
        operand: Option<&Sql>,
        conditions: &[CaseWhen],
        otherwise: Option<&Sql>,
        run: Run,
        depth: usize,
    ) -> Option<Part> {
        let operand = operand.map(|operand| self.part(operand, depth + 1));
        let whens: Vec<_> = conditions
            .iter()
            .map(|when| (self.part(&when.condition, depth + 1), self.part(&when.result, depth + 1)))
            .collect();
        let otherwise = otherwise.map(|otherwise| self.part(otherwise, depth + 1));
        let mut height = 0;
        let mut take = |part: Part| {
            height = height.max(part.height);
            part.node
        };
        let operand = operand.map_or(Some(None), |part| Some(Some(Box::new(take(part?)))))?;
        let whens =
            whens.into_iter().map(|(when, then)| Some((take(when?), take(then?)))).collect::<Option<Vec<_>>>()?;
        let otherwise = otherwise.map_or(Some(None), |part| Some(Some(Box::new(take(part?)))))?;
        self.finish(NodeKind::Case { operand, whens, otherwise }, run, height)
    }

    fn cast(&mut self, inner: &Sql, ty: &DataType, depth: usize) -> Option<Part> {
        let part = self.part(inner, depth + 1)?;
        let open = part.run.first.saturating_sub(1);
        let run = Run { first: open.saturating_sub(1), last: self.tokens.closing(open) };
        let ty = match ty {
            DataType::Integer(None) => CastType::Integer,
            DataType::Real => CastType::Real,
            DataType::Decimal(ExactNumberInfo::Precision(scale)) if *scale <= u64::from(MAX_SCALE) => {
                CastType::Decimal(*scale as u8)
            }
            other => {
                let names = Run { first: part.run.last + 2, last: run.last.saturating_sub(1) };
                let help = format!(
                    "casts are to integer, decimal(n) with n digits after the point (0 to {MAX_SCALE}), and real"
                );
                return self.not_supported(names, &format!("no cast to {}", other.to_string().to_lowercase()), &help);
            }
        };
        let height = part.height;
        self.finish(NodeKind::Cast(Box::new(part.node), ty), run, height)
    }

    fn leaf(&self, kind: NodeKind, run: Run) -> Option<Part> {
        Some(Part { node: Node { kind, at: self.tokens.locate(run) }, run, height: 1 })
    }

    fn rerun(&self, part: Part, run: Run) -> Part {
        Part { node: Node { kind: part.node.kind, at: self.tokens.locate(run) }, run, height: part.height }
    }

    /// A node above others of the given height.
    fn finish(&mut self, kind: NodeKind, run: Run, height: usize) -> Option<Part> {
        if height >= MAX_HEIGHT {
            self.out.push(too_deep(&self.tokens.locate(run)));
            return None;
        }
        self.leaf(kind, run).map(|part| Part { height: height + 1, ..part })
    }

    fn not_supported<T>(&mut self, run: Run, headline: &str, help: &str) -> Option<T> {
        self.out.push(Diagnostic::error(code::NOT_SUPPORTED, &self.tokens.locate(run), headline).help(help));
        None
    }

    /// SQL that rules don't have.
    fn foreign(&mut self, sql: &Sql) -> Option<Part> {
        let (what, help) = match sql {
            Sql::Subquery(_) | Sql::InSubquery { .. } | Sql::Exists { .. } => {
                ("subqueries aren't part of the rule language", "make a metric of it and name it here")
            }
            Sql::IsTrue(_)
            | Sql::IsFalse(_)
            | Sql::IsUnknown(_)
            | Sql::IsNotTrue(_)
            | Sql::IsNotFalse(_)
            | Sql::IsNotUnknown(_) => {
                ("`is true` and the like aren't part of the rule language", "write coalesce(x, false), or `x is null`")
            }
            Sql::IsDistinctFrom(..) | Sql::IsNotDistinctFrom(..) => {
                ("`is distinct from` isn't part of the rule language", "write `a <> b or a is null`")
            }
            Sql::CompoundIdentifier(_) | Sql::CompoundFieldAccess { .. } => {
                ("names have no points", "write the name alone")
            }
            Sql::ILike { .. } | Sql::RLike { .. } | Sql::SimilarTo { .. } | Sql::Like { .. } => {
                ("only `like 'prefix%'` compares a part of a text", "write like 'prefix%'")
            }
            Sql::Cast { .. } | Sql::Convert { .. } => ("only one cast is known", "write cast(x as real)"),
            Sql::Extract { .. } => {
                ("`extract` isn't part of the rule language", "use windows, date(x) and days_between(a, b)")
            }
            Sql::Ceil { .. } | Sql::Floor { .. } => {
                ("`ceil` and `floor` aren't part of the rule language", "use round(x, 0)")
            }
            Sql::Tuple(_) => ("lists stand only after `in`", "write x in (1, 2, 3)"),
            _ => ("this isn't part of the rule language", "see docs/rules.md for what is"),
        };
        let span = sql.span();
        let run = Run { first: self.tokens.find(span), last: 0 };
        let end = self.tokens.all().partition_point(|token| token.span.start < span.end);
        let run = Run { last: end.saturating_sub(1).max(run.first), ..run };
        self.not_supported(run, what, help)
    }
}
