//! Rows of their own: customers and accounts, each of a hidden kind with figures that are drawn once.

use super::{
    profile::{Kind, Table},
    random::Random,
};

/// A row of a table with rows of its own; its id is its place, from 1.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Index of its kind.
    pub(super) kind: usize,
    /// Its figures, in the order of [`Table::figures`].
    pub(super) figures: Vec<i64>,
}

/// All rows of a table, and the table.
#[derive(Debug)]
pub(super) struct Subjects<'a> {
    pub(super) table: &'a Table,
    pub(super) all: Vec<Subject>,
}

impl<'a> Subjects<'a> {
    /// Draws `count` subjects; the same ones for the same `seed`, however many.
    pub(super) fn draw(table: &'a Table, seed: u64, count: u32) -> Self {
        let one = |id: u32| Subject::draw(table, &mut Random::new(seed, u64::from(id)));
        Subjects { table, all: (1..=count).map(one).collect() }
    }

    /// The subject with this id.
    pub(super) fn get(&self, id: u32) -> &Subject {
        &self.all[id as usize - 1]
    }

    pub(super) fn kind(&self, subject: &Subject) -> &Kind {
        &self.table.kinds[subject.kind]
    }

    /// For each subject the sum of this figure up to and including its own.
    pub(super) fn running_total(&self, figure: &str) -> Vec<u64> {
        let at = self.table.figure(figure);
        let add = |total: &mut u64, subject: &Subject| {
            *total += u64::try_from(subject.figures[at]).unwrap_or(0);
            Some(*total)
        };
        self.all.iter().scan(0, add).collect()
    }
}

impl Subject {
    fn draw(table: &Table, random: &mut Random) -> Self {
        let kind = random.weighted(table.kinds.iter().map(|kind| kind.share));
        let mut figures = Vec::with_capacity(table.figures.len());
        for (name, usual) in &table.figures {
            let amount = table.kinds[kind].figures.get(name).unwrap_or(usual);
            // A figure may rest on those before it in the order of their names.
            let number = amount.draw(random, |other| figures.get(table.figure(other)).copied().unwrap_or(0));
            figures.push(number);
        }
        Subject { kind, figures }
    }
}
