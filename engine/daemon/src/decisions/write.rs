//! Writing the file: rows are put together on several threads, a stretch of blocks each, and go out in their order.

use std::{
    fs,
    io::{self, BufWriter, Write},
    num::NonZero,
    path::Path,
    thread,
};

use tierd_eval::{
    evaluate::{Outcome, SubjectOutcome},
    explain::personal,
    given::NO_PARENT,
};
use tierd_rules::{MetricId, MetricKind, RuleSet, SubjectId, Unknown};
use tierd_sources::{Keys, SourceData};

use super::{
    BLOCK_ROWS, MAGIC, Stamp,
    cells::{Cells, put_count, put_integer_key, put_text},
    header::{Cuts, Header, Kind, Part, checksum},
    stored,
};
use crate::evaluate::Evaluation;

/// Blocks that a thread puts together before they are written.
const STRETCH: usize = 128;

/// Writes the file of a run, under another name until it is whole. Returns whether there is one: not where rows would have to hold
/// what is personal.
///
/// # Errors
/// Where the file can't be written; the one before is still there then, and of no use.
pub(crate) fn write(path: &Path, stamp: &Stamp, rules: &RuleSet, evaluation: &Evaluation) -> io::Result<bool> {
    let personal = personal(rules);
    if evaluation.outcome.subjects.iter().any(|of| keeps_personal(rules, of, &personal)) {
        return Ok(false);
    }
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let written = write_to(Path::new(&new), stamp, rules, evaluation, &personal).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // What can't be written can perhaps not be removed, either.
        let _ = fs::remove_file(&new);
    }
    written.map(|()| true)
}

/// Whether a personal metric of these subjects can be found neither from others nor by reading the subject's row again.
fn keeps_personal(rules: &RuleSet, of: &SubjectOutcome, personal: &[bool]) -> bool {
    let found_again = |kind: &MetricKind| {
        matches!(kind, MetricKind::Attribute(_) | MetricKind::Derived(_) | MetricKind::Standing { .. })
    };
    let mut metrics = rules.metrics.iter().zip(personal);
    metrics.any(|(metric, &personal)| personal && metric.subject == of.subject && !found_again(&metric.kind))
}

fn write_to(path: &Path, stamp: &Stamp, rules: &RuleSet, evaluation: &Evaluation, personal: &[bool]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = Counted { out: BufWriter::new(options.open(path)?), at: 0 };
    out.put(MAGIC)?;
    let mut kinds = Vec::new();
    for (source, of) in evaluation.sources.iter().zip(&evaluation.outcome.subjects) {
        let rows = Rows::new(rules, evaluation, source, of, &stored(rules, of.subject, personal));
        let blocks = write_rows(&mut out, &rows)?;
        kinds.push(kind(rules, of, &rows, blocks));
    }
    let asked = asked(rules, &evaluation.outcome);
    let header = Header { run: stamp.run.0, revision: stamp.revision.to_string(), as_of: stamp.as_of.0, kinds, asked };
    let header = out.part(&serde_json::to_vec(&header)?)?;
    for number in [header.at, header.bytes, header.checksum] {
        out.put(&number.to_le_bytes())?;
    }
    out.out.flush()
}

/// Tier sets in which an UNKNOWN makes an evaluation ask what is held.
fn asked(rules: &RuleSet, outcome: &Outcome) -> Vec<String> {
    let sets = outcome.sets.iter().map(|of| (of, &rules.tier_sets[of.set.0]));
    let asked = sets.filter(|(of, set)| !of.unknown.is_empty() && set.unknown == Unknown::Keep);
    asked.map(|(_, set)| set.name.clone()).collect()
}

fn kind(rules: &RuleSet, of: &SubjectOutcome, rows: &Rows<'_>, blocks: Part) -> Kind {
    let name = |subject: SubjectId| rules.config.subjects[subject.0].name.clone();
    let column = |id: &MetricId| (rules.metrics[id.0].name.clone(), rules.metrics[id.0].ty.to_string());
    Kind {
        name: name(of.subject),
        parent: rows.parents.map(|(parent, ..)| name(parent)),
        members: rows.members.iter().map(|(members, _)| name(*members)).collect(),
        columns: rows.ids.iter().map(column).collect(),
        cuts: of.metrics.cut_points.iter().map(|cuts| Cuts::new(rules, cuts)).collect(),
        blocks,
    }
}

/// What the rows of one kind of subject are made of.
struct Rows<'a> {
    keys: &'a Keys,
    /// The parents' kind, by subject its parent, and the parents' keys.
    parents: Option<(SubjectId, &'a [u32], &'a Keys)>,
    /// By kind of members, how many each subject has.
    members: Vec<(SubjectId, Vec<u32>)>,
    ids: Vec<MetricId>,
    columns: Vec<Cells<'a>>,
}

impl<'a> Rows<'a> {
    fn new(
        rules: &RuleSet,
        evaluation: &'a Evaluation,
        source: &'a SourceData,
        of: &'a SubjectOutcome,
        stored: &[MetricId],
    ) -> Self {
        let keys = |subject: SubjectId| {
            &*evaluation
                .sources
                .iter()
                .find(|source| source.subject == subject)
                .map(|source| &source.keys)
                .unwrap_or(&source.keys)
        };
        let parent = rules.config.subjects[of.subject.0].parent.as_ref().map(|parent| parent.subject);
        let parent = parent.filter(|_| !of.parents.is_empty());
        let columns = stored.iter().filter_map(|&id| Some((id, of.metrics.columns[id.0].as_ref()?)));
        let (ids, columns) = columns.map(|(id, column)| (id, Cells::new(column, rules.metrics[id.0].ty))).unzip();
        Rows {
            keys: &source.keys,
            parents: parent.map(|parent| (parent, &of.parents[..], keys(parent) as &Keys)),
            members: members(rules, &evaluation.outcome, of),
            ids,
            columns,
        }
    }

    fn put(&self, row: usize, out: &mut Vec<u8>) {
        put_key(out, self.keys, row);
        if let Some((_, parents, keys)) = self.parents {
            match parents[row] {
                NO_PARENT => out.push(0),
                parent => {
                    out.push(1);
                    put_key(out, keys, parent as usize);
                }
            }
        }
        self.members.iter().for_each(|(_, counts)| put_count(out, counts[row].into()));
        let nulls = out.len();
        out.resize(nulls + self.columns.len().div_ceil(8), 0);
        for (index, column) in self.columns.iter().enumerate() {
            match column.is_null(row) {
                true => out[nulls + index / 8] |= 1 << (index % 8),
                false => column.put(row, out),
            }
        }
    }
}

/// How many members each subject has, of each kind that some metric rolls up.
fn members(rules: &RuleSet, outcome: &Outcome, of: &SubjectOutcome) -> Vec<(SubjectId, Vec<u32>)> {
    let rollups = rules.metrics.iter().filter(|metric| metric.subject == of.subject);
    let mut kinds: Vec<SubjectId> = rollups
        .filter_map(|metric| match &metric.kind {
            MetricKind::Rollup(rollup) => Some(rollup.members),
            _ => None,
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let count = |kind: SubjectId| {
        let mut counts = vec![0; of.metrics.subjects];
        let parents = outcome.subject(kind).map_or(&[][..], |members| &members.parents);
        parents.iter().filter(|&&parent| parent != NO_PARENT).for_each(|&parent| counts[parent as usize] += 1);
        (kind, counts)
    };
    kinds.into_iter().map(count).collect()
}

fn put_key(out: &mut Vec<u8>, keys: &Keys, row: usize) {
    match keys {
        Keys::Integer(keys) => put_integer_key(out, keys[row]),
        Keys::Text(keys) => put_text(out, keys.get(row)),
    }
}

/// Writes all blocks, then their list.
fn write_rows(out: &mut Counted, rows: &Rows<'_>) -> io::Result<Part> {
    let blocks = rows.keys.len().div_ceil(BLOCK_ROWS);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let mut list = Vec::new();
    let stretches: Vec<(usize, usize)> =
        (0..blocks).step_by(STRETCH).map(|first| (first, (first + STRETCH).min(blocks))).collect();
    let mut stretches = &stretches[..];
    while !stretches.is_empty() {
        let (turn, rest) = stretches.split_at(threads.min(stretches.len()));
        for stretch in put_together(rows, turn) {
            for (first, bytes) in (stretch.first..).zip(stretch.blocks()) {
                put_key(&mut list, rows.keys, first * BLOCK_ROWS);
                let part = out.part(bytes)?;
                list.extend([part.at, part.bytes, part.checksum].into_iter().flat_map(u64::to_le_bytes));
            }
        }
        stretches = rest;
    }
    out.part(&list)
}

/// Neighbouring blocks, one after the other.
struct Stretch {
    /// Number of the first block.
    first: usize,
    bytes: Vec<u8>,
    /// Where each block ends.
    ends: Vec<usize>,
}

impl Stretch {
    fn new(rows: &Rows<'_>, (first, end): (usize, usize)) -> Self {
        let mut stretch = Stretch { first, bytes: Vec::new(), ends: Vec::new() };
        let mut row = Vec::new();
        for block in first..end {
            for subject in block * BLOCK_ROWS..((block + 1) * BLOCK_ROWS).min(rows.keys.len()) {
                row.clear();
                rows.put(subject, &mut row);
                put_count(&mut stretch.bytes, row.len() as u64);
                stretch.bytes.extend_from_slice(&row);
            }
            stretch.ends.push(stretch.bytes.len());
        }
        stretch
    }

    fn blocks(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.bytes[begin..end])
    }
}

/// Puts each stretch together on a thread of its own.
fn put_together(rows: &Rows<'_>, turn: &[(usize, usize)]) -> Vec<Stretch> {
    if let [only] = turn {
        return vec![Stretch::new(rows, *only)];
    }
    thread::scope(|scope| {
        let threads: Vec<_> = turn.iter().map(|&stretch| scope.spawn(move || Stretch::new(rows, stretch))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Stretch>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// A file that knows how long it is.
struct Counted {
    out: BufWriter<fs::File>,
    at: u64,
}

impl Counted {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<Part> {
        let part = Part { at: self.at, bytes: bytes.len() as u64, checksum: checksum(bytes) };
        self.put(bytes)?;
        Ok(part)
    }
}
