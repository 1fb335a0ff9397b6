//! Pieces of SQL text: fragments that know how tightly they bind, quoting, indentation.
//!
//! A fragment carries its precedence, so that parentheses stand only where SQLite needs them: the text is made to be read.

use std::fmt::Display;

/// How tightly the outermost operator of a fragment binds in SQLite, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binds {
    /// `OR`
    Or,
    /// `AND`
    And,
    /// `NOT`
    Not,
    /// `=`, `<>`, `IS`, `IN`, `BETWEEN`
    Equality,
    /// `<`, `<=`, `>`, `>=`
    Order,
    /// `+`, `-`
    Sum,
    /// `*`, `/`, `%`
    Product,
    /// A name, a literal, a call, `CASE … END` or anything in parentheses.
    Whole,
}

/// SQLite's keywords, but for KEY, which it takes as a name everywhere; and the two names that it takes for values.
///
/// Source: <https://sqlite.org/lang_keywords.html>.
#[rustfmt::skip]
const KEYWORDS: [&str; 148] = [
    "ABORT", "ACTION", "ADD", "AFTER", "ALL", "ALTER", "ALWAYS", "ANALYZE", "AND", "AS", "ASC", "ATTACH",
    "AUTOINCREMENT", "BEFORE", "BEGIN", "BETWEEN", "BY", "CASCADE", "CASE", "CAST", "CHECK", "COLLATE",
    "COLUMN", "COMMIT", "CONFLICT", "CONSTRAINT", "CREATE", "CROSS", "CURRENT", "CURRENT_DATE",
    "CURRENT_TIME", "CURRENT_TIMESTAMP", "DATABASE", "DEFAULT", "DEFERRABLE", "DEFERRED", "DELETE", "DESC",
    "DETACH", "DISTINCT", "DO", "DROP", "EACH", "ELSE", "END", "ESCAPE", "EXCEPT", "EXCLUDE", "EXCLUSIVE",
    "EXISTS", "EXPLAIN", "FAIL", "FALSE", "FILTER", "FIRST", "FOLLOWING", "FOR", "FOREIGN", "FROM", "FULL",
    "GENERATED", "GLOB", "GROUP", "GROUPS", "HAVING", "IF", "IGNORE", "IMMEDIATE", "IN", "INDEX", "INDEXED",
    "INITIALLY", "INNER", "INSERT", "INSTEAD", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LAST", "LEFT",
    "LIKE", "LIMIT", "MATCH", "MATERIALIZED", "NATURAL", "NO", "NOT", "NOTHING", "NOTNULL", "NULL", "NULLS",
    "OF", "OFFSET", "ON", "OR", "ORDER", "OTHERS", "OUTER", "OVER", "PARTITION", "PLAN", "PRAGMA",
    "PRECEDING", "PRIMARY", "QUERY", "RAISE", "RANGE", "RECURSIVE", "REFERENCES", "REGEXP", "REINDEX",
    "RELEASE", "RENAME", "REPLACE", "RESTRICT", "RETURNING", "RIGHT", "ROLLBACK", "ROW", "ROWS", "SAVEPOINT",
    "SELECT", "SET", "TABLE", "TEMP", "TEMPORARY", "THEN", "TIES", "TO", "TRANSACTION", "TRIGGER", "TRUE",
    "UNBOUNDED", "UNION", "UNIQUE", "UPDATE", "USING", "VACUUM", "VALUES", "VIEW", "VIRTUAL", "WHEN", "WHERE",
    "WINDOW", "WITH", "WITHOUT",
];

/// An SQL expression as text.
#[derive(Debug, Clone)]
pub(super) struct Sql {
    text: String,
    binds: Binds,
}

impl Sql {
    /// An expression whose outermost operator binds like this.
    pub(super) fn new(binds: Binds, text: impl Into<String>) -> Self {
        Sql { text: text.into(), binds }
    }

    /// A name, literal, call, `CASE` or parenthesis.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Sql::new(Binds::Whole, text)
    }

    /// A whole number. Negative ones stand in parentheses only under other operators.
    pub(super) fn integer(value: impl Display) -> Self {
        let text = value.to_string();
        let binds = if text.starts_with('-') { Binds::Sum } else { Binds::Whole };
        Sql { text, binds }
    }

    /// The text, in parentheses where its operator binds more loosely than `binds`.
    pub(super) fn at(&self, binds: Binds) -> String {
        if self.binds < binds { format!("({})", self.text) } else { self.text.clone() }
    }

    /// The text as it is: for places that are delimited anyway.
    pub(super) fn bare(&self) -> &str {
        &self.text
    }

    /// A single name or literal, cheap to write twice.
    pub(super) fn is_short(&self) -> bool {
        self.binds == Binds::Whole && !self.text.contains(['(', ' '])
    }
}

/// `left operator right`, operators of one precedence being grouped from the left.
pub(super) fn infix(binds: Binds, left: &Sql, operator: &str, right: &Sql) -> Sql {
    let tighter = match binds {
        Binds::Or => Binds::And,
        Binds::And => Binds::Not,
        Binds::Not => Binds::Equality,
        // A comparison of comparisons is legal, and nobody can read it.
        Binds::Equality | Binds::Order => Binds::Sum,
        Binds::Sum => Binds::Product,
        Binds::Product | Binds::Whole => Binds::Whole,
    };
    let left = if binds >= Binds::Sum { left.at(binds) } else { left.at(tighter) };
    Sql::new(binds, format!("{left} {operator} {}", right.at(tighter)))
}

/// An identifier, in double quotes where SQLite asks for them.
///
/// A plain name is more than easier to read: where it names nothing it is an error, and a quoted one would be taken for text.
pub(super) fn name(identifier: &str) -> String {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let plain = identifier.starts_with(starts) && identifier.chars().all(|c| starts(c) || c.is_ascii_digit());
    if plain && KEYWORDS.binary_search(&identifier.to_ascii_uppercase().as_str()).is_err() {
        return identifier.to_owned();
    }
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// A text literal. SQLite ends a statement at a zero byte, so those are put in by `char(0)`.
pub(super) fn literal(text: &str) -> Sql {
    let quoted = |part: &str| format!("'{}'", part.replace('\'', "''"));
    if !text.contains('\0') {
        return Sql::whole(quoted(text));
    }
    let parts: Vec<String> = text.split('\0').map(quoted).collect();
    Sql::whole(format!("({})", parts.join(" || char(0) || ")))
}

/// Words for a comment: on one line, without quotes that would puzzle [`indent`].
pub(super) fn comment(words: &str) -> String {
    words.chars().map(|c| if c.is_control() || c == '"' || c == '\'' { ' ' } else { c }).collect()
}

/// `text` with `by` blanks before each line but the first; lines that begin inside quotes stay as they are.
pub(super) fn indent(text: &str, by: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    for c in text.chars() {
        out.push(c);
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '\n') => out.extend(std::iter::repeat_n(' ', by)),
            _ => {}
        }
    }
    out
}

/// Names that differ also where SQLite ignores case.
#[derive(Debug, Default, Clone)]
pub(super) struct Names {
    taken: Vec<String>,
}

impl Names {
    /// Names among which these are taken.
    pub(super) fn without(reserved: &[&str]) -> Self {
        Names { taken: reserved.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// `wish`, or `wish_2`, `wish_3` … where it is taken; without quotes.
    pub(super) fn take(&mut self, wish: &str) -> String {
        let mut name = wish.to_owned();
        let mut number = 1;
        while self.taken.contains(&name.to_ascii_lowercase()) {
            number += 1;
            name = format!("{wish}_{number}");
        }
        self.taken.push(name.to_ascii_lowercase());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parentheses_stand_only_where_needed() {
        let (a, b, c) = (Sql::whole("a"), Sql::whole("b"), Sql::whole("c"));
        let difference = infix(Binds::Sum, &b, "-", &c);
        assert_eq!(infix(Binds::Sum, &a, "-", &difference).bare(), "a - (b - c)");
        assert_eq!(infix(Binds::Sum, &difference, "-", &a).bare(), "b - c - a");
        assert_eq!(infix(Binds::Product, &difference, "*", &Sql::integer(-2)).bare(), "(b - c) * (-2)");
        let either = infix(Binds::Or, &a, "OR", &b);
        assert_eq!(infix(Binds::And, &either, "AND", &c).bare(), "(a OR b) AND c");
    }

    #[test]
    fn quotes_are_doubled_and_zero_bytes_survive() {
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
        assert_eq!(
            (name("order").as_str(), name("客户").as_str(), name("1st").as_str()),
            ("\"order\"", "客户", "\"1st\"")
        );
        assert!(KEYWORDS.is_sorted());
        assert_eq!(literal("it's").bare(), "'it''s'");
        assert_eq!(literal("a\0b").bare(), "('a' || char(0) || 'b')");
    }

    #[test]
    fn indentation_leaves_quoted_lines_alone() {
        assert_eq!(indent("a\n'b\nc'\nd", 2), "a\n  'b\nc'\n  d");
    }

    #[test]
    fn names_differ_without_regard_to_case() {
        let mut names = Names::without(&["key"]);
        assert_eq!(
            (names.take("Key"), names.take("spend"), names.take("SPEND")),
            ("Key_2".to_owned(), "spend".to_owned(), "SPEND_2".to_owned())
        );
    }
}
