//! Test files: what they name looked up in the rules, what they say turned into values.

mod acts;
mod expect;
mod told;
mod values;

use std::collections::HashMap;

use tierd_model::{Key, Timestamp};

use crate::{
    RuleId, RuleSet, SubjectId, TierSetId,
    cases::{Case, CaseOverride, CaseOverrideKind, CaseStep, LoadedTests, TestFile, Who},
    code,
    diagnostic::Diagnostic,
    fileset::{File, FileId, FileSet, Location},
    raw::{
        self, At, Name, Named,
        cases::{self as written, CaseTable, OverrideName, OverrideTable, StepTable, SubjectEntry, Values},
        values::Constant,
    },
    report::Report,
    suggest::nearest,
};

/// Checks test files against the rules that they test.
///
/// ```
/// use tierd_rules::{File, FileSet, cases::load_tests, load};
/// let config = r#"
///     time_zone = "UTC"
///     database.sqlite = "shop.db"
///     subject.customer = { table = "customers", key = "id", attributes = { city = "text" } }
/// "#;
/// let rules = r#"
///     [tiers.region]
///     level = [{ name = "elsewhere" }, { name = "home", when = "city = '武汉'" }]
/// "#;
/// let test = r#"
///     [[case]]
///     name = "people of the town are at home"
///     as_of = 2026-06-30
///     subject = { city = "武汉" }
///     expect = { region = "hom" }
/// "#;
/// let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
/// let rules = load(FileSet::new(vec![file("tierd.toml", config), file("rules/region.toml", rules)])).rules.unwrap();
/// let tests = load_tests(&rules, FileSet::new(vec![file("rules/region.test.toml", test)]));
/// assert_eq!(tests.diagnostics[0].help.as_deref(), Some("did you mean `home`?"));
/// ```
pub fn load_tests(rules: &RuleSet, files: FileSet) -> LoadedTests {
    let mut out = Report::default();
    let mut checking = CaseChecking { rules, out: &mut out };
    let tests = files.iter().map(|(id, file)| checking.file(id, file));
    // All of them are checked, also after one that is bad.
    let tests: Vec<Option<TestFile>> = tests.collect();
    let good = !out.has_errors();
    let tests = tests.into_iter().collect::<Option<Vec<_>>>().filter(|_| good);
    LoadedTests { tests, diagnostics: out.sorted(), files }
}

/// One check of test files.
struct CaseChecking<'a> {
    rules: &'a RuleSet,
    out: &'a mut Report,
}

/// What the parts of a case are checked against.
struct Cast {
    /// The one subject of a case that names it with `subject`; `None` where it has several.
    only: Option<Who>,
    /// Every subject of the case.
    all: Vec<Who>,
}

/// What a case tells in one step, wherever it is written.
struct StepWritten<'a> {
    subject: Option<&'a At<Values>>,
    subjects: Option<&'a At<Named<Vec<At<SubjectEntry>>>>>,
    told: &'a written::Told,
    done: Option<&'a At<Vec<At<String>>>>,
    as_of: Timestamp,
    at: &'a Location,
}

impl CaseChecking<'_> {
    fn file(&mut self, id: FileId, file: &File) -> Option<TestFile> {
        let written: written::TestFile = raw::read(id, file, self.out)?;
        let as_of = written.as_of.as_ref().and_then(|as_of| self.time(as_of));
        let mut places: HashMap<&str, &Location> = HashMap::new();
        let mut cases = vec![];
        for table in written.case.value.iter().flatten() {
            let Some(case) = &table.value else { continue };
            if let Some(name) = case.name.value.as_deref()
                && let Some(first) = places.insert(name, &case.name.at)
            {
                let diagnostic =
                    Diagnostic::error(code::DUPLICATE_NAME, &case.name.at, "there are two cases of this name");
                self.out.push(diagnostic.other(first, "the first one").help("give one of them another name"));
            }
            cases.push(self.case(case, as_of, written.as_of.is_some()));
        }
        Some(TestFile { file: id, cases: cases.into_iter().collect::<Option<_>>()? })
    }

    /// A case; `default` is the time that the file gives, `has_default` whether it tries to.
    fn case(&mut self, case: &CaseTable, default: Option<Timestamp>, has_default: bool) -> Option<Case> {
        let cast = self.cast(case)?;
        let first = match &case.as_of {
            Some(as_of) => self.time(as_of),
            None => default,
        };
        if case.as_of.is_none() && !has_default {
            let help = "write `as_of = \"2026-06-30T09:00:00\"` here, or for all cases at the top of the file";
            self.error(code::MISSING_KEY, &case.name.at, "this case has no `as_of`", help);
        }
        // A case whose time is bad is checked at another one.
        let mut as_of = first.unwrap_or(Timestamp(0));
        let mut steps = vec![self.step(&cast, &StepWritten::of_case(case, as_of))];
        for table in case.step.iter().filter_map(|steps| steps.value.as_ref()).flatten() {
            let Some(step) = &table.value else { continue };
            as_of = self.later(step, as_of).unwrap_or(as_of);
            steps.push(self.step(&cast, &StepWritten::of_step(step, as_of, &table.at)));
        }
        let steps: Vec<CaseStep> = steps.into_iter().collect::<Option<_>>()?;
        let overrides = case.r#override.iter().filter_map(|all| all.value.as_ref()).flatten();
        let overrides: Vec<_> =
            overrides.map(|table| table.value.as_ref().and_then(|table| self.override_of(table, &cast))).collect();
        self.expects_something(&steps, &case.name.at);
        let given = self.given(&steps, &cast, &case.name.at);
        let overrides = overrides.into_iter().collect::<Option<_>>()?;
        Some(Case { name: case.name.value.clone()?, given, overrides, steps, at: case.name.at.clone() })
    }

    /// Who takes part in a case.
    fn cast(&mut self, case: &CaseTable) -> Option<Cast> {
        if let (Some(subject), Some(subjects)) = (&case.subject, &case.subjects) {
            let diagnostic = Diagnostic::error(code::CONFLICTING_KEYS, &subjects.at, "both `subject` and `subjects`");
            self.out.push(diagnostic.other(&subject.at, "the one subject").help("move it among the others"));
            return None;
        }
        let Some(subjects) = &case.subjects else {
            let kind = match &case.kind {
                Some(kind) => self.subject(kind.value.as_ref()?, &kind.at)?,
                None => SubjectId(0),
            };
            let key = match case.subject.as_ref().and_then(|subject| subject.value.as_ref()).and_then(key_of) {
                Some(key) => self.key(key, kind),
                None => None,
            };
            let key = key.unwrap_or_else(|| default_key(self.rules, kind));
            let who = Who { subject: kind, key };
            return Some(Cast { only: Some(who.clone()), all: vec![who] });
        };
        let mut all: Vec<Who> = vec![];
        for (name, entries) in &subjects.value.as_ref()?.0 {
            let Some(subject) = self.subject(&name.text, &name.at) else { continue };
            for written in entries.value.iter().flatten().filter_map(|entry| entry.value.as_ref()) {
                let key = &written.key;
                let Some(who) = self.key(key, subject).map(|key| Who { subject, key }) else { continue };
                if all.contains(&who) {
                    let headline = format!("there are two subjects with the key {}", who.key);
                    self.error(code::DUPLICATE_NAME, &key.at, headline, "give one of them another key");
                }
                all.push(who);
            }
        }
        Some(Cast { only: None, all })
    }

    fn step(&mut self, cast: &Cast, written: &StepWritten<'_>) -> Option<CaseStep> {
        let told = self.told(cast, written);
        let (tasks, events) = (self.tasks(cast, written), self.events(cast, written));
        let done = written.done.iter().filter_map(|done| done.value.as_ref()).flatten();
        let done: Vec<_> = done.map(|rule| self.rule(rule)).collect();
        Some(CaseStep {
            as_of: written.as_of,
            told: told?,
            done: done.into_iter().collect::<Option<_>>()?,
            tasks: tasks?,
            events: events?,
            at: written.at.clone(),
        })
    }

    /// The time of a step, which is later than that of the run before.
    fn later(&mut self, step: &StepTable, before: Timestamp) -> Option<Timestamp> {
        let as_of = self.time(&step.as_of)?;
        if as_of <= before {
            let headline = "this step isn't later than the run before it";
            self.error(code::OUT_OF_RANGE, &step.as_of.at, headline, "steps stand in the order of their times");
        }
        Some(as_of)
    }

    fn override_of(&mut self, table: &OverrideTable, cast: &Cast) -> Option<CaseOverride> {
        let set = table.set.value.as_ref().and_then(|set| self.tier_set(set, &table.set.at));
        let level =
            table.level.value.as_ref().zip(set).and_then(|(level, set)| self.level(set, level, &table.level.at));
        let from = self.optional_time(table.from.as_ref());
        let until = self.optional_end(table.until.as_ref());
        let who = self.whose(table.key.as_ref(), &table.set.at, set, cast);
        let kind = match table.kind.value? {
            OverrideName::Pin => CaseOverrideKind::Pin,
            OverrideName::Floor => CaseOverrideKind::Floor,
            OverrideName::Ceiling => CaseOverrideKind::Ceiling,
        };
        Some(CaseOverride { who: who?, set: set?, kind, level: level?, from: from?, until: until? })
    }

    /// The subject of an override: the one of its set's kind that has the key, or else the only one.
    fn whose(&mut self, key: Option<&At<Constant>>, at: &Location, set: Option<TierSetId>, cast: &Cast) -> Option<Who> {
        let subject = self.rules.tier_sets[set?.0].subject;
        let of_kind: Vec<&Who> = cast.all.iter().filter(|who| who.subject == subject).collect();
        let found = match (key, of_kind.as_slice()) {
            (Some(key), _) => {
                let key = self.key(key, subject)?;
                of_kind.iter().find(|who| who.key == key).copied()
            }
            (None, [only]) => Some(*only),
            (None, _) => None,
        };
        if found.is_none() {
            let at = key.map_or(at, |key| &key.at);
            let kind = &self.rules.config.subjects[subject.0].name;
            let headline = format!("it isn't clear which {kind} of this case has this override");
            self.error(code::AMBIGUOUS_SUBJECT, at, headline, "give its `key`");
        }
        found.cloned()
    }

    /// A case that expects nothing passes whatever the rules say.
    fn expects_something(&mut self, steps: &[CaseStep], at: &Location) {
        let nothing = |step: &CaseStep| {
            step.tasks.is_empty() && step.events.is_empty() && step.told.iter().all(|told| told.expect.is_empty())
        };
        if steps.iter().all(nothing) {
            let help = "write what should come out, such as `expect = { value = \"A\" }`";
            self.error(code::NOTHING_EXPECTED, at, "this case expects nothing", help);
        }
    }

    fn error(&mut self, code: &'static str, at: &Location, headline: impl Into<String>, help: impl Into<String>) {
        self.out.push(Diagnostic::error(code, at, headline).help(help));
    }

    /// Reports a name that nothing has; `known` are those that something has.
    fn unknown<'n>(
        &mut self,
        code: &'static str,
        headline: String,
        name: &str,
        at: &Location,
        known: impl Iterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "there is none at all".to_owned(),
            None => format!("there is {}", known.join(", ")),
        };
        self.error(code, at, headline, help);
    }

    fn subject(&mut self, name: &str, at: &Location) -> Option<SubjectId> {
        let rules = self.rules;
        let found = rules.config.subjects.iter().position(|subject| subject.name == name);
        if found.is_none() {
            let known = rules.config.subjects.iter().map(|subject| subject.name.as_str());
            self.unknown(code::UNKNOWN_SUBJECT, format!("no subject `{name}`"), name, at, known);
        }
        found.map(SubjectId)
    }

    fn tier_set(&mut self, name: &str, at: &Location) -> Option<TierSetId> {
        let rules = self.rules;
        let found = rules.tier_sets.iter().position(|set| set.name == name);
        if found.is_none() {
            let known = rules.tier_sets.iter().map(|set| set.name.as_str());
            self.unknown(code::UNKNOWN_NAME, format!("no tier set `{name}`"), name, at, known);
        }
        found.map(TierSetId)
    }

    fn level(&mut self, set: TierSetId, name: &str, at: &Location) -> Option<u16> {
        let set = &self.rules.tier_sets[set.0];
        let found = set.levels.iter().position(|level| level.name == name);
        if found.is_none() {
            let known = set.levels.iter().map(|level| level.name.as_str());
            let headline = format!("tier set `{}` has no level `{name}`", set.name);
            self.unknown(code::UNKNOWN_NAME, headline, name, at, known);
        }
        found.map(|level| level as u16)
    }

    fn rule(&mut self, name: &At<String>) -> Option<RuleId> {
        let (rules, text) = (self.rules, name.value.as_ref()?);
        let found = rules.retention.iter().position(|rule| rule.name == *text);
        if found.is_none() {
            let known = rules.retention.iter().map(|rule| rule.name.as_str());
            self.unknown(code::UNKNOWN_NAME, format!("no retention rule `{text}`"), text, &name.at, known);
        }
        found.map(RuleId)
    }
}

impl<'a> StepWritten<'a> {
    fn of_case(case: &'a CaseTable, as_of: Timestamp) -> Self {
        let (subject, subjects) = (case.subject.as_ref(), case.subjects.as_ref());
        StepWritten { subject, subjects, told: &case.told, done: None, as_of, at: &case.name.at }
    }

    fn of_step(step: &'a StepTable, as_of: Timestamp, at: &'a Location) -> Self {
        let (subject, subjects) = (step.subject.as_ref(), step.subjects.as_ref());
        StepWritten { subject, subjects, told: &step.told, done: step.done.as_ref(), as_of, at }
    }
}

/// The key among the attributes of the one subject.
fn key_of(subject: &Values) -> Option<&At<Constant>> {
    subject.0.iter().find(|(name, _)| is_key(name)).map(|(_, value)| value)
}

fn is_key(name: &Name) -> bool {
    name.text == "key"
}

fn default_key(rules: &RuleSet, subject: SubjectId) -> Key {
    match rules.config.subjects[subject.0].key_type {
        tierd_model::KeyType::Integer => Key::Integer(1),
        tierd_model::KeyType::Text => Key::Text("1".into()),
    }
}
