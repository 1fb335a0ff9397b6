//! How the demo's customers buy and talk: a handful of kinds, mixed so that every level of the shipped rules has members.

use super::random::Random;

/// What a kind of customers does; pairs are ranges from which each customer draws its own figure.
#[derive(Debug)]
pub(super) struct Habit {
    /// Of 1,000 customers.
    share: u32,
    /// Days since they joined.
    pub(super) tenure_days: (u32, u32),
    /// Days without any order up to today.
    pub(super) silent_days: (u32, u32),
    /// Orders in a year; none at all where the upper end is 0.
    pub(super) orders_per_year: (u32, u32),
    /// One order, in cents.
    pub(super) ticket_cents: (u32, u32),
    /// Contacts in a year.
    pub(super) contacts_per_year: (u32, u32),
}

const HABITS: [Habit; 8] = [
    // Key accounts: buy much, and are spoken to every week.
    Habit {
        share: 40,
        tenure_days: (400, 2000),
        silent_days: (0, 20),
        orders_per_year: (20, 40),
        ticket_cents: (50_000, 180_000),
        contacts_per_year: (62, 110),
    },
    // Buy much and are never spoken to: where the two measures of the ABC grading disagree.
    Habit {
        share: 30,
        tenure_days: (300, 2000),
        silent_days: (0, 40),
        orders_per_year: (12, 30),
        ticket_cents: (60_000, 180_000),
        contacts_per_year: (1, 20),
    },
    // Regulars.
    Habit {
        share: 120,
        tenure_days: (300, 1800),
        silent_days: (0, 40),
        orders_per_year: (12, 26),
        ticket_cents: (35_000, 110_000),
        contacts_per_year: (24, 58),
    },
    // Ask often, buy little.
    Habit {
        share: 20,
        tenure_days: (60, 1000),
        silent_days: (0, 120),
        orders_per_year: (1, 5),
        ticket_cents: (5_000, 30_000),
        contacts_per_year: (36, 80),
    },
    // Many small orders.
    Habit {
        share: 110,
        tenure_days: (200, 1500),
        silent_days: (0, 60),
        orders_per_year: (8, 24),
        ticket_cents: (1_500, 12_000),
        contacts_per_year: (0, 6),
    },
    // Now and then: the most of them.
    Habit {
        share: 350,
        tenure_days: (120, 1800),
        silent_days: (0, 220),
        orders_per_year: (1, 6),
        ticket_cents: (4_000, 60_000),
        contacts_per_year: (0, 5),
    },
    // Gone quiet, some of them once good customers.
    Habit {
        share: 210,
        tenure_days: (500, 1800),
        silent_days: (200, 800),
        orders_per_year: (2, 14),
        ticket_cents: (5_000, 90_000),
        contacts_per_year: (0, 3),
    },
    // New ones.
    Habit {
        share: 70,
        tenure_days: (1, 90),
        silent_days: (0, 10),
        orders_per_year: (4, 40),
        ticket_cents: (3_000, 70_000),
        contacts_per_year: (0, 30),
    },
];

/// The kinds take 950 of 1,000; the others have registered and never bought.
const VISITOR: Habit = Habit {
    share: 50,
    tenure_days: (1, 1200),
    silent_days: (0, 0),
    orders_per_year: (0, 0),
    ticket_cents: (0, 0),
    contacts_per_year: (0, 2),
};

/// The habit of one customer.
pub(super) fn habit(random: &mut Random) -> &'static Habit {
    let mut at = random.between(0, 999);
    for habit in &HABITS {
        if at < habit.share {
            return habit;
        }
        at -= habit.share;
    }
    &VISITOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        assert_eq!(HABITS.iter().map(|h| h.share).sum::<u32>() + VISITOR.share, 1000);
    }
}
