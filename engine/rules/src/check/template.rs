//! Texts with places for a subject's values: `"call {name} about {annual_spend}"`.
//!
//! A place is `{key}`, a metric or an attribute, `{tier.SET}` and its like, `{benefits.X}`, or else a key of the strategy of the
//! subject's level. What is named here is looked up when the rules are checked, so that no text goes out with a hole in it.

use std::{collections::BTreeSet, ops::Range};

use super::{Checking, catalog::Catalog, metrics::Metrics};
use crate::{
    MetricId, SubjectId, TierSet, code,
    diagnostic::Diagnostic,
    expr::ExprKind,
    fileset::Location,
    raw::At,
    retention::{Part, Template},
    suggest::nearest,
    syntax::{Node, NodeKind},
    typing::Found,
};

/// Before the name of a benefit.
const BENEFITS: &str = "benefits.";

/// What the places of a rule's texts may stand for.
pub(super) struct Places<'s> {
    pub(super) subject: SubjectId,
    /// The set whose levels give strategy and benefits.
    pub(super) set: Option<&'s TierSet>,
}

impl Places<'_> {
    /// The keys that the strategies of some levels have.
    fn strategy(&self) -> BTreeSet<&str> {
        let levels = self.set.map_or(&[][..], |set| &set.levels);
        levels.iter().flat_map(|level| level.strategy.keys()).map(String::as_str).collect()
    }

    /// Likewise of benefits.
    fn benefits(&self) -> BTreeSet<&str> {
        let levels = self.set.map_or(&[][..], |set| &set.levels);
        levels.iter().flat_map(|level| level.benefits.keys()).map(String::as_str).collect()
    }
}

/// A piece of a text before names are looked up.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The bytes between the braces.
    Place(Range<usize>),
}

impl Checking<'_> {
    /// A text with all its places; `None` where it is empty or something in it is wrong, which is reported.
    pub(super) fn template<'a>(
        &mut self,
        text: &At<String>,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Template> {
        let value = text.value.as_ref()?;
        if value.trim().is_empty() {
            self.error(
                code::EMPTY_VALUE,
                &text.at,
                "this text is empty",
                "write what it is to say, or leave the key out",
            );
            return None;
        }
        let pieces = match pieces(value) {
            Ok(pieces) => pieces,
            Err((at, headline)) => {
                let help = "places are written `{name}`; `{{` and `}}` stand for braces";
                self.error(code::BAD_TEMPLATE, &self.place(text, at), headline, help);
                return None;
            }
        };
        let parts: Vec<_> = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(Part::Text(text)),
                Piece::Place(range) => {
                    let at = self.place(text, range.clone());
                    self.part(value[range].trim(), &at, places, catalog, metrics)
                }
            })
            .collect();
        Some(Template { parts: parts.into_iter().collect::<Option<_>>()?, at: text.at.clone() })
    }

    /// As [`Checking::template`], for a text that needn't be there.
    pub(super) fn optional_template<'a>(
        &mut self,
        text: Option<&At<String>>,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Option<Template>> {
        match text {
            Some(text) => self.template(text, places, catalog, metrics).map(Some),
            None => Some(None),
        }
    }

    fn part<'a>(
        &mut self,
        name: &str,
        at: &Location,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Part> {
        if name == "key" {
            return Some(Part::Key);
        }
        if let Some(benefit) = name.strip_prefix(BENEFITS) {
            return match places.benefits().contains(benefit) {
                true => Some(Part::Benefit(benefit.to_owned())),
                false => self.unknown_place(name, at, places, metrics),
            };
        }
        let strategy = places.strategy().contains(name);
        let elsewhere = metrics.elsewhere(name, places.subject, catalog).is_some();
        if strategy && (elsewhere || !is_known(metrics, places.subject, name)) {
            return Some(Part::Strategy(name.to_owned()));
        }
        let node = Node { kind: NodeKind::Name(name.into()), at: at.clone() };
        self.resolve(&node.names(), places.subject, catalog, metrics);
        match metrics.scope(places.subject).find(name) {
            Found::Nothing => return self.unknown_place(name, at, places, metrics),
            Found::Reported => return None,
            Found::Column(..) => {}
        }
        match self.typing(catalog, metrics, places.subject).value(&node)?.kind {
            ExprKind::Column(metric) => Some(Part::Metric(MetricId(metric))),
            _ => None,
        }
    }

    fn unknown_place<T>(&mut self, name: &str, at: &Location, places: &Places<'_>, metrics: &Metrics<'_>) -> Option<T> {
        let benefits: Vec<String> = places.benefits().iter().map(|key| format!("{BENEFITS}{key}")).collect();
        let strategy = places.strategy();
        let scope = metrics.scope(places.subject).names().iter().map(|name| &**name);
        let known = scope.chain(strategy.iter().copied()).chain(benefits.iter().map(String::as_str)).chain(["key"]);
        let help = match (nearest(name, known), places.set) {
            (Some(near), _) => format!("did you mean `{{{near}}}`?"),
            (None, Some(set)) => {
                let keys: Vec<_> = strategy.iter().copied().chain(benefits.iter().map(String::as_str)).collect();
                let gives = if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
                format!("there are {{key}}, metrics, attributes and {{tier.NAME}}; the levels of `{}` give {gives}", set.name)
            }
            (None, None) => {
                "there are {key}, metrics, attributes and {tier.NAME}; for what a level's strategy and benefits give, say \
                 of which tier set: strategy = \"value\""
                    .to_owned()
            }
        };
        self.out
            .push(Diagnostic::error(code::UNKNOWN_PLACEHOLDER, at, format!("no `{{{name}}}` to put here")).help(help));
        None
    }
}

fn is_known(metrics: &Metrics<'_>, subject: SubjectId, name: &str) -> bool {
    !matches!(metrics.scope(subject).find(name), Found::Nothing)
}

/// Takes a text apart at its braces; where one is wrong, its place and what is wrong.
fn pieces(text: &str) -> Result<Vec<Piece>, (Range<usize>, &'static str)> {
    let mut out = vec![];
    let mut words = String::new();
    let mut at = 0;
    while let Some(next) = text[at..].find(['{', '}']).map(|found| at + found) {
        words.push_str(&text[at..next]);
        let brace = &text[next..=next];
        if text[next + 1..].starts_with(brace) {
            words.push_str(brace);
            at = next + 2;
        } else if brace == "}" {
            return Err((next..next + 1, "this brace closes nothing"));
        } else {
            let end = text[next + 1..].find(['{', '}']).map(|found| next + 1 + found);
            let Some(end) = end.filter(|end| text[*end..].starts_with('}')) else {
                return Err((next..next + 1, "this brace isn't closed"));
            };
            if text[next + 1..end].trim().is_empty() {
                return Err((next..end + 1, "there is no name between these braces"));
            }
            if !words.is_empty() {
                out.push(Piece::Text(std::mem::take(&mut words)));
            }
            out.push(Piece::Place(next + 1..end));
            at = end + 1;
        }
    }
    words.push_str(&text[at..]);
    if !words.is_empty() {
        out.push(Piece::Text(words));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match pieces(text) {
            Ok(pieces) => pieces
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(words) => format!("[{words}]"),
                    Piece::Place(range) => format!("<{}>", &text[range]),
                })
                .collect(),
            Err((at, headline)) => format!("{}: {headline}", &text[at]),
        }
    }

    #[test]
    fn texts_are_taken_apart_at_their_braces() {
        for (text, expected) in [
            ("call", "[call]"),
            ("{name}", "<name>"),
            ("请致电 {姓名}，{ owner }!", "[请致电 ]<姓名>[，]< owner >[!]"),
            ("{a}{b}", "<a><b>"),
            ("{{a}} {b}", "[{a} ]<b>"),
            ("a } b", "}: this brace closes nothing"),
            ("{a", "{: this brace isn't closed"),
            ("{a {b}", "{: this brace isn't closed"),
            ("x {} y", "{}: there is no name between these braces"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
