//! Reading one subject's row.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use tierd_eval::{derive::CutPoints, given::Booked};
use tierd_model::{Key, KeyType, Timestamp, Type, Value};
use tierd_rules::{MetricId, PointsId, RuleSet, SubjectId};

use super::{
    MAGIC, Stamp,
    cells::Cursor,
    header::{Header, Kind, Part, checksum},
};

/// At the end of the file: where the header is, its length, its checksum.
const FOOTER: u64 = 24;

/// No part is longer; one that says so is damaged.
const MAX_PART: u64 = 1 << 30;

/// A decision file that fits a run and the rules in force.
#[derive(Debug)]
pub(crate) struct DecisionFile {
    file: File,
    stamp: Stamp,
    kinds: Vec<OpenKind>,
    /// Tier sets in which an UNKNOWN made the run ask what was held.
    pub(crate) asked: Vec<String>,
}

/// The file is torn, damaged, or of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged;

#[derive(Debug)]
struct OpenKind {
    subject: SubjectId,
    key_type: KeyType,
    /// The parents' kind and the type of their keys.
    parent: Option<(SubjectId, KeyType)>,
    members: Vec<SubjectId>,
    columns: Vec<(MetricId, Type)>,
    /// Points programs, and how many kinds of bookings each has.
    programs: Vec<(PointsId, usize)>,
    cuts: Vec<CutPoints>,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    first: Key,
    part: Part,
}

/// What the file has of one subject.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// The parents' kind and its parent's key, where it has one.
    pub(crate) parent: Option<(SubjectId, Key)>,
    /// How many members it has of each kind.
    pub(crate) members: Vec<(SubjectId, u32)>,
    /// Its metrics; `None` for NULL.
    pub(crate) values: Vec<(MetricId, Option<Value>)>,
    /// Its bookings of points.
    pub(crate) bookings: Vec<(PointsId, Vec<Booked>)>,
    /// Where the ranks of its kind were cut.
    pub(crate) cuts: &'a [CutPoints],
}

impl DecisionFile {
    /// Opens the file of a run; `None` where there is none that is whole and about that run and these rules.
    pub(crate) fn open(path: &Path, stamp: &Stamp, rules: &RuleSet) -> Option<Self> {
        let file = File::open(path).ok()?;
        let header = header(&file)?;
        if !header.is_of(stamp) {
            return None;
        }
        let kinds = header.kinds.iter().map(|kind| OpenKind::new(&file, rules, kind)).collect::<Option<_>>()?;
        Some(DecisionFile { file, stamp: *stamp, kinds, asked: header.asked })
    }

    /// What it is about.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The kinds of subjects that it has.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = SubjectId> {
        self.kinds.iter().map(|kind| kind.subject)
    }

    /// The row of one subject; `None` where the kind has no such key.
    ///
    /// # Errors
    /// [`Damaged`].
    pub(crate) fn row(&self, subject: SubjectId, key: &Key) -> Result<Option<Row<'_>>, Damaged> {
        let Some(kind) = self.kinds.iter().find(|kind| kind.subject == subject) else { return Ok(None) };
        let after = kind.blocks.partition_point(|block| block.first <= *key);
        let Some(block) = after.checked_sub(1).map(|block| &kind.blocks[block]) else { return Ok(None) };
        let bytes = part(&self.file, &block.part).ok_or(Damaged)?;
        let mut rows = Cursor(&bytes);
        while !rows.is_empty() {
            let length = rows.size().ok_or(Damaged)?;
            let mut row = Cursor(rows.bytes(length).ok_or(Damaged)?);
            if row.key(kind.key_type).ok_or(Damaged)? == *key {
                return kind.row(row, self.stamp.as_of).map(Some).ok_or(Damaged);
            }
        }
        Ok(None)
    }
}

impl OpenKind {
    /// `None` if the rules would have it otherwise, or the list of blocks is damaged.
    fn new(file: &File, rules: &RuleSet, kind: &Kind) -> Option<Self> {
        let (subject, key_type) = subject(rules, &kind.name)?;
        let column = |(name, ty): &(String, String)| {
            let (id, metric) = rules.metric_of(subject, name)?;
            (metric.ty.to_string() == *ty).then_some((id, metric.ty))
        };
        let members = kind.members.iter().map(|name| Some(self::subject(rules, name)?.0));
        Some(OpenKind {
            subject,
            key_type,
            parent: match &kind.parent {
                Some(name) => Some(self::subject(rules, name)?),
                None => None,
            },
            members: members.collect::<Option<_>>()?,
            columns: kind.columns.iter().map(column).collect::<Option<_>>()?,
            programs: kind.programs.iter().map(|name| program(rules, name)).collect::<Option<_>>()?,
            cuts: kind.cuts.iter().map(|cuts| cuts.points(rules)).collect::<Option<_>>()?,
            blocks: blocks(&part(file, &kind.blocks)?, key_type)?,
        })
    }

    /// What stands behind the key.
    fn row(&self, mut row: Cursor<'_>, as_of: Timestamp) -> Option<Row<'_>> {
        let parent = match self.parent {
            Some((parent, ty)) if row.count()? == 1 => Some((parent, row.key(ty)?)),
            _ => None,
        };
        let mut members = Vec::with_capacity(self.members.len());
        for &kind in &self.members {
            members.push((kind, row.count()?.try_into().ok()?));
        }
        let nulls = row.bytes(self.columns.len().div_ceil(8))?;
        let mut values = Vec::with_capacity(self.columns.len());
        for (index, &(id, ty)) in self.columns.iter().enumerate() {
            let null = nulls[index / 8] >> (index % 8) & 1 == 1;
            values.push((id, if null { None } else { Some(row.value(ty)?) }));
        }
        let mut bookings = Vec::with_capacity(self.programs.len());
        for &(program, kinds) in &self.programs {
            bookings.push((program, self::bookings(&mut row, kinds, as_of)?));
        }
        row.is_empty().then_some(Row { parent, members, values, bookings, cuts: &self.cuts })
    }
}

fn bookings(row: &mut Cursor<'_>, kinds: usize, as_of: Timestamp) -> Option<Vec<Booked>> {
    let mut bookings = Vec::new();
    for _ in 0..row.count()? {
        bookings.push(row.booking(as_of).filter(|booked| usize::from(booked.booking) < kinds)?);
    }
    Some(bookings)
}

fn program(rules: &RuleSet, name: &str) -> Option<(PointsId, usize)> {
    let place = rules.points.iter().position(|program| program.name == name)?;
    Some((PointsId(place), rules.points[place].bookings.len()))
}

fn subject(rules: &RuleSet, name: &str) -> Option<(SubjectId, KeyType)> {
    let place = rules.config.subjects.iter().position(|subject| subject.name == name)?;
    Some((SubjectId(place), rules.config.subjects[place].key_type))
}

fn header(file: &File) -> Option<Header> {
    let length = file.metadata().ok()?.len();
    if read_at(file, 0, MAGIC.len() as u64).ok()? != MAGIC {
        return None;
    }
    let footer = read_at(file, length.checked_sub(FOOTER)?, FOOTER).ok()?;
    let mut numbers = footer.chunks_exact(8).filter_map(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
    let part = Part { at: numbers.next()?, bytes: numbers.next()?, checksum: numbers.next()? };
    serde_json::from_slice(&self::part(file, &part)?).ok()
}

/// The list of blocks, as it was written.
fn blocks(bytes: &[u8], key_type: KeyType) -> Option<Vec<Block>> {
    let (mut list, mut blocks) = (Cursor(bytes), Vec::new());
    let number = |list: &mut Cursor<'_>| Some(u64::from_le_bytes(list.bytes(8)?.try_into().ok()?));
    while !list.is_empty() {
        let first = list.key(key_type)?;
        let part = Part { at: number(&mut list)?, bytes: number(&mut list)?, checksum: number(&mut list)? };
        blocks.push(Block { first, part });
    }
    Some(blocks)
}

/// A part of the file; `None` if it isn't what was written.
fn part(file: &File, part: &Part) -> Option<Vec<u8>> {
    if part.bytes > MAX_PART || part.at.checked_add(part.bytes)? > file.metadata().ok()?.len() {
        return None;
    }
    let bytes = read_at(file, part.at, part.bytes).ok()?;
    (checksum(&bytes) == part.checksum).then_some(bytes)
}

fn read_at(file: &File, at: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; bytes as usize];
    file.read_exact_at(&mut buffer, at)?;
    Ok(buffer)
}
