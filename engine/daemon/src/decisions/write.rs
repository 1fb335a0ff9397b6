//! Writing the file: rows are put together on several threads, a stretch of blocks each, and go out in their order.

use std::{
    fs,
    io::{self, BufWriter, Write},
    iter, mem,
    num::NonZero,
    panic,
    path::Path,
    sync::Arc,
    thread,
};

use tierd_eval::{
    evaluate::{Outcome, SetOutcome, SubjectOutcome},
    given::{Booked, NO_PARENT},
    levels::grade,
    points::Grouped,
};
use tierd_model::{Clock, Timestamp};
use tierd_rules::{MetricId, MetricKind, PointsId, RuleSet, SubjectId, TierSet, Unknown};
use tierd_sources::Keys;

use super::{
    BLOCK_ROWS, MAGIC, Stamp,
    cells::{Cells, put_booking, put_count, put_integer_key, put_text},
    header::{Cuts, Header, Kind, Part, checksum},
    stored,
};
use crate::evaluate::Evaluation;

/// Subjects whose rows a thread puts together before they are written.
const STRETCH: usize = 128 * BLOCK_ROWS;

/// Who writes. There is one of each at a time, and each has its own name for a file that isn't whole yet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writer {
    /// A run, which has the ledger's lock.
    Run,
    /// The daemon, after it had to evaluate everybody for an explanation.
    Explanation,
}

impl Writer {
    fn end(self) -> &'static str {
        match self {
            Writer::Run => ".new",
            Writer::Explanation => ".again",
        }
    }
}

/// Writes the file of a run, under another name until it is whole. Returns whether there is one: not where rows would have to hold
/// what is personal.
///
/// # Errors
/// Where the file can't be written; the one before is still there then, and of no use.
pub(crate) fn write(
    path: &Path,
    stamp: &Stamp,
    rules: &RuleSet,
    evaluation: &mut Evaluation,
    by: Writer,
) -> io::Result<bool> {
    let personal = rules.personal();
    if evaluation.outcome.subjects.iter().any(|of| keeps_personal(rules, of, &personal)) {
        return Ok(false);
    }
    let mut new = path.as_os_str().to_owned();
    new.push(by.end());
    // They are put in order beside everything else, which only is looked at.
    let mut bookings: Vec<_> = evaluation.outcome.subjects.iter_mut().map(|of| mem::take(&mut of.bookings)).collect();
    let written = write_to(Path::new(&new), stamp, rules, evaluation, (&personal, &mut bookings));
    let written = written.and_then(|()| fs::rename(&new, path));
    evaluation.outcome.subjects.iter_mut().zip(bookings).for_each(|(of, bookings)| of.bookings = bookings);
    if written.is_err() {
        // What can't be written can perhaps not be removed, either.
        let _ = fs::remove_file(&new);
    }
    written.map(|()| true)
}

/// By points program, the bookings of one kind of subject.
type Bookings = Vec<(PointsId, Vec<Booked>)>;

/// Whether a personal metric of these subjects can be found neither from others nor by reading the subject's row again.
fn keeps_personal(rules: &RuleSet, of: &SubjectOutcome, personal: &[bool]) -> bool {
    let found_again = |kind: &MetricKind| {
        matches!(kind, MetricKind::Attribute(_) | MetricKind::Derived(_) | MetricKind::Standing { .. })
    };
    let mut metrics = rules.metrics.iter().zip(personal);
    metrics.any(|(metric, &personal)| personal && metric.subject == of.subject && !found_again(&metric.kind))
}

fn write_to(
    path: &Path,
    stamp: &Stamp,
    rules: &RuleSet,
    evaluation: &Evaluation,
    (personal, bookings): (&[bool], &mut [Bookings]),
) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = Counted { out: BufWriter::new(options.open(path)?), at: 0 };
    out.put(MAGIC)?;
    let mut kinds = Vec::new();
    for (place, bookings) in bookings.iter_mut().enumerate() {
        let of = &evaluation.outcome.subjects[place];
        let rows = Rows::new(rules, evaluation, place, &stored(rules, of.subject, personal), bookings);
        let blocks = write_rows(&mut out, &rows, stamp.as_of)?;
        kinds.push(kind(rules, of, &rows, blocks));
    }
    let clock = Clock::new(stamp.as_of, Arc::clone(&rules.config.zone));
    let asked = asked(rules, &evaluation.outcome, &clock);
    let header = Header { run: stamp.run.0, revision: stamp.revision.to_string(), as_of: stamp.as_of.0, kinds, asked };
    let header = out.part(&serde_json::to_vec(&header)?)?;
    for number in [header.at, header.bytes, header.checksum] {
        out.put(&number.to_le_bytes())?;
    }
    out.out.flush()
}

/// Tier sets in which an UNKNOWN makes an evaluation of all rules ask what is held. What wasn't due hasn't been looked at yet.
fn asked(rules: &RuleSet, outcome: &Outcome, clock: &Clock) -> Vec<String> {
    let meets_unknown = |of: &SetOutcome, set: &TierSet| match of.due {
        true => !of.unknown.is_empty(),
        false => {
            grade(set, &outcome.subjects[of.subject].metrics, clock).is_ok_and(|graded| !graded.unknown.is_empty())
        }
    };
    let sets = outcome.sets.iter().map(|of| (of, &rules.tier_sets[of.set.0]));
    let asked = sets.filter(|(of, set)| set.unknown == Unknown::Keep && meets_unknown(of, set));
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
        programs: rows.bookings.iter().map(|(program, _)| rules.points[program.0].name.clone()).collect(),
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
    bookings: Vec<(PointsId, Grouped<'a>)>,
}

impl<'a> Rows<'a> {
    fn new(
        rules: &RuleSet,
        evaluation: &'a Evaluation,
        place: usize,
        stored: &[MetricId],
        bookings: &'a mut Bookings,
    ) -> Self {
        let (source, of) = (&evaluation.sources[place], &evaluation.outcome.subjects[place]);
        let parent = rules.config.subjects[of.subject.0].parent.as_ref().filter(|_| !of.parents.is_empty());
        let parent =
            parent.and_then(|parent| evaluation.sources.iter().find(|source| source.subject == parent.subject));
        let columns = stored.iter().filter_map(|&id| Some((id, of.metrics.columns[id.0].as_ref()?)));
        let (ids, columns) = columns.map(|(id, column)| (id, Cells::new(column, rules.metrics[id.0].ty))).unzip();
        let grouped =
            |(program, all): &'a mut (PointsId, Vec<Booked>)| (*program, Grouped::new(all, of.metrics.subjects));
        Rows {
            keys: &source.keys,
            parents: parent.map(|parent| (parent.subject, &of.parents[..], &*parent.keys)),
            members: members(rules, &evaluation.outcome, of),
            ids,
            columns,
            bookings: bookings.iter_mut().map(grouped).collect(),
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
fn write_rows(out: &mut Counted, rows: &Rows<'_>, as_of: Timestamp) -> io::Result<Part> {
    let subjects = rows.keys.len();
    // A stretch is made of whole blocks, of rows and of bookings alike: all are powers of two.
    let width = rows.bookings.iter().map(|(_, grouped)| grouped.width()).fold(STRETCH, usize::max);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let mut list = Vec::new();
    for turn in (0..subjects).step_by(width * threads) {
        let firsts = (turn..subjects).step_by(width).take(threads);
        for stretch in put_together(rows, firsts.map(|first| (first, (first + width).min(subjects))), as_of) {
            for (block, bytes) in stretch.blocks().enumerate() {
                put_key(&mut list, rows.keys, stretch.first + block * BLOCK_ROWS);
                let part = out.part(bytes)?;
                list.extend([part.at, part.bytes, part.checksum].into_iter().flat_map(u64::to_le_bytes));
            }
        }
    }
    out.part(&list)
}

/// The rows of neighbouring subjects, one after the other.
struct Stretch {
    /// The first subject.
    first: usize,
    bytes: Vec<u8>,
    /// Where each block ends.
    ends: Vec<usize>,
}

impl Stretch {
    fn new(rows: &Rows<'_>, (first, end): (usize, usize), as_of: Timestamp) -> Self {
        let bookings: Vec<Account> =
            rows.bookings.iter().map(|(_, grouped)| Account::new(grouped, (first, end), as_of)).collect();
        let mut stretch = Stretch { first, bytes: Vec::new(), ends: Vec::new() };
        let mut row = Vec::new();
        for subject in first..end {
            row.clear();
            rows.put(subject, &mut row);
            bookings.iter().for_each(|accounts| row.extend_from_slice(accounts.of(subject - first)));
            put_count(&mut stretch.bytes, row.len() as u64);
            stretch.bytes.extend_from_slice(&row);
            if (subject + 1) % BLOCK_ROWS == 0 || subject + 1 == end {
                stretch.ends.push(stretch.bytes.len());
            }
        }
        stretch
    }

    fn blocks(&self) -> impl Iterator<Item = &[u8]> {
        let begins = iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.bytes[begin..end])
    }
}

/// What the rows of a stretch of subjects say of one points program.
struct Account {
    bytes: Vec<u8>,
    /// Where each subject's part ends.
    ends: Vec<usize>,
}

impl Account {
    fn new(grouped: &Grouped<'_>, (first, end): (usize, usize), as_of: Timestamp) -> Self {
        let mut account = Account { bytes: Vec::new(), ends: Vec::with_capacity(end - first) };
        grouped.each(first, end, |mine| {
            put_count(&mut account.bytes, mine.len() as u64);
            mine.iter().for_each(|booked| put_booking(&mut account.bytes, booked, as_of));
            account.ends.push(account.bytes.len());
        });
        account
    }

    fn of(&self, subject: usize) -> &[u8] {
        &self.bytes[subject.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[subject]]
    }
}

/// Puts each stretch together on a thread of its own.
fn put_together(rows: &Rows<'_>, turn: impl Iterator<Item = (usize, usize)>, as_of: Timestamp) -> Vec<Stretch> {
    thread::scope(|scope| {
        let threads: Vec<_> = turn.map(|stretch| scope.spawn(move || Stretch::new(rows, stretch, as_of))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Stretch>| {
            thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
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
