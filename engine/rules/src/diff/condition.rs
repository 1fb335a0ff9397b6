//! What is different in an expression: by its parts where only some of them are, `annual_spend >= 10000 → 12000`.

use super::{Change, ChangeKind};
use crate::{
    File, FileId, Location,
    report::Report,
    syntax::{self, Node, NodeKind},
};

/// The keys whose texts are expressions.
const EXPRESSIONS: [&str; 8] = ["when", "keep", "where", "filter", "derived", "of", "points", "aggregate"];

/// Whether the text under this key is an expression.
pub(super) fn is_expression(key: &str) -> bool {
    EXPRESSIONS.contains(&key)
}

/// An expression with its text.
struct Written {
    file: File,
    node: Node,
}

impl Written {
    fn parse(text: &str) -> Option<Self> {
        // As a literal string of TOML, which has no escapes: the places of nodes are then places in this text.
        let file = File { path: "".into(), text: format!("'''{}'''", text.trim()).into() };
        let at = Location { file: FileId(0), range: 0..file.text.len() };
        let node = syntax::parse(&file, text.trim(), &at, &mut Report::default())?;
        Some(Written { file, node })
    }

    fn quote(&self, node: &Node) -> String {
        one_line(self.file.text.get(node.at.range.clone()).unwrap_or(""))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The changes from one text to another; none if only their form differs.
pub(super) fn changes(what: &str, old: &str, new: &str, out: &mut Vec<Change>) {
    let changed = |from, to| Change {
        kind: ChangeKind::Changed,
        what: what.to_owned(),
        part: None,
        from: Some(from),
        to: Some(to),
    };
    match (Written::parse(old), Written::parse(new)) {
        (Some(old), Some(new)) => Comparing { what, old: &old, new: &new, out }.nodes(&old.node, &new.node),
        _ if one_line(old) == one_line(new) => {}
        _ => out.push(changed(one_line(old), one_line(new))),
    }
}

struct Comparing<'a> {
    what: &'a str,
    old: &'a Written,
    new: &'a Written,
    out: &'a mut Vec<Change>,
}

impl Comparing<'_> {
    fn nodes(&mut self, old: &Node, new: &Node) {
        use NodeKind as K;
        if old.same(new) {
            return;
        }
        match (&old.kind, &new.kind) {
            (K::And(a), K::And(b)) => self.lists("and", a, b),
            (K::Or(a), K::Or(b)) => self.lists("or", a, b),
            (K::And(a), _) if a.iter().any(|part| alike(part, new)) => self.lists("and", a, std::slice::from_ref(new)),
            (K::Or(a), _) if a.iter().any(|part| alike(part, new)) => self.lists("or", a, std::slice::from_ref(new)),
            (_, K::And(b)) if b.iter().any(|part| alike(old, part)) => self.lists("and", std::slice::from_ref(old), b),
            (_, K::Or(b)) if b.iter().any(|part| alike(old, part)) => self.lists("or", std::slice::from_ref(old), b),
            (K::Compare(_, subject, a), K::Compare(_, _, b)) if alike(old, new) => {
                let operator = self.old.quote(old);
                let operator = operator.strip_prefix(&self.old.quote(subject)).unwrap_or("");
                let operator = operator.strip_suffix(&self.old.quote(a)).unwrap_or("").trim();
                let part = format!("{} {operator}", self.old.quote(subject));
                self.push(ChangeKind::Changed, Some(part), Some(self.old.quote(a)), Some(self.new.quote(b)));
            }
            _ => self.push(ChangeKind::Changed, None, Some(self.old.quote(old)), Some(self.new.quote(new))),
        }
    }

    /// The parts of `and` or `or`: those that are only in one list, paired with those that they most likely were.
    fn lists(&mut self, connective: &str, old: &[Node], new: &[Node]) {
        let (mut gone, mut come) = without_common(old, new);
        let mut pairs = take_pairs(&mut gone, &mut come, alike);
        pairs.extend(take_pairs(&mut gone, &mut come, |_, _| true));
        for (old, new) in pairs {
            self.nodes(old, new);
        }
        for node in gone {
            self.push(ChangeKind::Removed, Some(connective.to_owned()), Some(self.old.quote(node)), None);
        }
        for node in come {
            self.push(ChangeKind::Added, Some(connective.to_owned()), None, Some(self.new.quote(node)));
        }
    }

    fn push(&mut self, kind: ChangeKind, part: Option<String>, from: Option<String>, to: Option<String>) {
        self.out.push(Change { kind, what: self.what.to_owned(), part, from, to });
    }
}

/// The same, or the same comparison with another value.
fn alike(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (NodeKind::Compare(op, left, right), NodeKind::Compare(other_op, other_left, other_right)) => {
            op == other_op && left.same(other_left) && is_value(right) && is_value(other_right)
        }
        _ => a.same(b),
    }
}

fn is_value(node: &Node) -> bool {
    use NodeKind as K;
    match &node.kind {
        K::Negate(inside) => is_value(inside),
        kind => matches!(
            kind,
            K::Integer(_) | K::Decimal(_) | K::Text(_) | K::Bool(_) | K::Date(_) | K::Timestamp(_) | K::Interval(_)
        ),
    }
}

/// What is in one list only, each time that it is there.
fn without_common<'n>(old: &'n [Node], new: &'n [Node]) -> (Vec<&'n Node>, Vec<&'n Node>) {
    let (mut gone, mut come) = (old.iter().collect(), new.iter().collect());
    take_pairs(&mut gone, &mut come, Node::same);
    (gone, come)
}

/// Takes out the pairs that belong together, in the order of the first list.
fn take_pairs<'n>(
    old: &mut Vec<&'n Node>,
    new: &mut Vec<&'n Node>,
    together: impl Fn(&Node, &Node) -> bool,
) -> Vec<(&'n Node, &'n Node)> {
    let mut pairs = vec![];
    old.retain(|a| match new.iter().position(|b| together(a, b)) {
        Some(place) => {
            pairs.push((*a, new.remove(place)));
            false
        }
        None => true,
    });
    pairs
}
