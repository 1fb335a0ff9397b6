//! Nothing lost, nothing doubled: schedules on a random course of a world whose clock jumps, whose runs fail and take their time, and
//! whose daemon crashes, against what is asked of each slot one by one.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::serve::planner::tests::{line, schedule};

const MINUTE: i64 = 60 * MICROS;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// Time passes, in seconds, with a look at the clock at least every 30 seconds.
    Pass(i64),
    /// The clock jumps this far in seconds, either way; also what a machine that slept sees.
    Jump(i64),
    /// The run that was asked for first ends: well, or not.
    Done { good: bool },
    /// The daemon is killed, away for so many seconds, and started again. A run in progress leaves nothing, or, if it was just being
    /// committed, everything.
    Crash { away: i64, committed: bool },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let jump = prop_oneof![-600..600_i64, -4 * 3600..4 * 3600_i64, -86_400..3 * 86_400_i64];
    let event = prop_oneof![
        6 => (1..1800_i64).prop_map(Event::Pass),
        1 => jump.prop_map(Event::Jump),
        5 => prop::bool::weighted(0.7).prop_map(|good| Event::Done { good }),
        1 => (0..90_000_i64, any::<bool>()).prop_map(|(away, committed)| Event::Crash { away, committed }),
    ];
    prop::collection::vec(event, 1..60)
}

/// A schedule: minutes between slots, what becomes of missed ones, minutes of deadline and of delay.
type Shape = (i64, Missed, Option<u64>, u64);

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let missed = prop_oneof![Just(Missed::Latest), Just(Missed::All), Just(Missed::Skip)];
    let every = prop_oneof![Just(5_i64), Just(15), Just(60), Just(240)];
    prop::collection::vec((every, missed, prop::option::of(6..120_u64), 0..5_u64), 1..4)
}

/// What the ledger has: one transaction each.
#[derive(Debug, Default)]
struct Ledger {
    handled: i64,
    /// What became of each slot.
    slots: BTreeMap<i64, Vec<&'static str>>,
}

/// What the daemon remembers of one schedule.
#[derive(Debug, Default, Clone, Copy)]
struct Memory {
    /// The slot, and when its run was asked for: on the wall, and by the clock that nobody turns.
    busy: Option<(i64, i64, i64)>,
    busy_until: Option<Timestamp>,
    tried: Option<Tried>,
}

struct World {
    schedules: Vec<Schedule>,
    delays: Vec<Duration>,
    ledgers: Vec<Ledger>,
    memories: Vec<Memory>,
    queue: Vec<PlannedRun>,
    wall: i64,
    /// What a clock that nobody turns shows.
    passed: i64,
    /// The latest that the clock has shown to a planner.
    latest: i64,
}

impl World {
    fn new(shapes: &[Shape]) -> Self {
        let of = |&(every, missed, deadline, _): &Shape| Schedule {
            deadline: deadline.map(|minutes| Duration::from_secs(60 * minutes)),
            ..schedule(&format!("{every} minutes"), "UTC", missed)
        };
        let (wall, count) = (1_772_323_200_000_000 + MICROS, shapes.len());
        World {
            schedules: shapes.iter().map(of).collect(),
            delays: shapes.iter().map(|(_, _, _, delay)| Duration::from_secs(60 * delay)).collect(),
            ledgers: (0..count).map(|_| Ledger { handled: wall, ..Ledger::default() }).collect(),
            memories: vec![Memory::default(); count],
            queue: Vec::new(),
            wall,
            passed: 0,
            latest: wall,
        }
    }

    fn line(&self, index: usize) -> Line<'_> {
        let (memory, handled) = (self.memories[index], Timestamp(self.ledgers[index].handled));
        Line {
            delay: self.delays[index],
            busy: memory.busy.map(|(slot, ..)| Timestamp(slot)),
            busy_until: memory.busy_until,
            tried: memory.tried,
            ..line(&self.schedules[index], handled)
        }
    }

    /// Plans until there is nothing more to do now.
    fn look(&mut self) {
        self.latest = self.latest.max(self.wall);
        loop {
            let lines: Vec<_> = (0..self.schedules.len()).map(|index| self.line(index)).collect();
            let plan = plan(&lines, Timestamp(self.wall));
            self.check(&plan);
            for gap in &plan.gaps {
                self.note(gap);
            }
            for run in &plan.runs {
                run.lines
                    .iter()
                    .for_each(|&line| self.memories[line].busy = Some((run.slot.0, self.wall, self.passed)));
            }
            self.queue.extend(plan.runs);
            match plan.next {
                Some(next) if next.0 <= self.wall => {}
                _ => return,
            }
        }
    }

    /// What each way of treating missed slots promises, slot by slot.
    fn check(&self, plan: &Plan) {
        for run in &plan.runs {
            for &index in &run.lines {
                let (line, schedule) = (self.line(index), &self.schedules[index]);
                let newer = run.slot.0 + self.every(index) + micros(self.delays[index]) <= self.wall;
                let is_retry = line.tried.is_some_and(|tried| tried.slot == run.slot);
                assert!(run.slot.0 <= self.wall && run.slot > line.handled, "{run:?}");
                assert!(newer <= (schedule.missed == Missed::All), "a later slot has come: {run:?} {line:?}");
                let late = self.wall - line.begin(run.slot).0;
                assert!(schedule.missed != Missed::Skip || is_retry || late <= LATE, "{run:?} was missed");
                let deadline = schedule.deadline.map_or(i64::MAX, |deadline| later(run.slot, deadline).0);
                assert!(self.wall <= deadline, "{run:?} after its deadline");
            }
        }
        for gap in &plan.gaps {
            let schedule = &self.schedules[gap.line];
            assert!(schedule.missed != Missed::All || !matches!(gap.reason, GapReason::Missed | GapReason::Overlap));
            assert!(gap.reason != GapReason::Deadline || schedule.deadline.is_some());
        }
    }

    fn every(&self, index: usize) -> i64 {
        self.schedules[index].name.split(' ').next().unwrap().parse::<i64>().unwrap() * MINUTE
    }

    fn note(&mut self, gap: &PlannedGap) {
        let (mut slot, every) = (gap.first.0, self.every(gap.line));
        for _ in 0..gap.slots {
            self.ledgers[gap.line].slots.entry(slot).or_default().push(gap.reason.name());
            slot += every;
        }
        assert_eq!(slot - every, gap.last.0, "{gap:?}");
        self.ledgers[gap.line].handled = self.ledgers[gap.line].handled.max(gap.last.0);
    }

    fn commit(&mut self, run: &PlannedRun) {
        for &line in &run.lines {
            self.ledgers[line].slots.entry(run.slot.0).or_default().push("run");
            self.ledgers[line].handled = self.ledgers[line].handled.max(run.slot.0);
        }
    }

    fn done(&mut self, good: bool) {
        if self.queue.is_empty() {
            return;
        }
        let run = self.queue.remove(0);
        if good {
            self.commit(&run);
        }
        for &line in &run.lines {
            let memory = &mut self.memories[line];
            let Some((slot, asked, since)) = memory.busy.take() else { continue };
            if good {
                (memory.tried, memory.busy_until) = (None, Some(Timestamp(self.wall.min(asked + self.passed - since))));
            } else {
                let times = memory.tried.filter(|tried| tried.slot.0 == slot).map_or(0, |tried| tried.times) + 1;
                let again = later(Timestamp(self.wall), Duration::from_secs(30 << times.min(5)));
                memory.tried = Some(Tried { slot: Timestamp(slot), times, again, reason: GapReason::Failed });
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pass(seconds) => {
                for step in 0..=seconds / 30 {
                    let micros = (seconds - step * 30).min(30) * MICROS;
                    (self.wall, self.passed) = (self.wall + micros, self.passed + micros);
                    self.look();
                }
            }
            Event::Jump(seconds) => self.wall += seconds * MICROS,
            Event::Done { good } => self.done(good),
            Event::Crash { away, committed } => {
                if committed && !self.queue.is_empty() {
                    let run = self.queue.remove(0);
                    self.commit(&run);
                }
                self.queue.clear();
                self.memories.fill(Memory::default());
                self.wall += away * MICROS;
            }
        }
        self.look();
    }

    /// Everything that runs ends well, and the clock passes what it has shown.
    fn come_to_rest(&mut self) {
        self.wall = self.wall.max(self.latest + 300 * MINUTE);
        self.look();
        while !self.queue.is_empty() {
            self.done(true);
            self.look();
        }
    }
}

fn micros(duration: Duration) -> i64 {
    duration.as_micros() as i64
}

proptest! {
    #[test]
    fn every_slot_is_run_once_or_in_one_gap(shapes in shapes(), events in events()) {
        let mut world = World::new(&shapes);
        let first = world.wall;
        for event in events {
            world.happen(event);
        }
        world.come_to_rest();
        for (index, ledger) in world.ledgers.iter().enumerate() {
            let every = world.every(index);
            let last = world.wall - micros(world.delays[index]);
            let expected: Vec<i64> = (first / every + 1..=last / every).map(|n| n * every).collect();
            // One more may have joined the run of another schedule before its own delay was over.
            let (found, early): (Vec<i64>, Vec<i64>) = ledger.slots.keys().partition(|slot| **slot <= last);
            prop_assert_eq!(found, expected);
            prop_assert!(early.iter().all(|slot| *slot <= world.wall) && early.len() <= 1, "{:?}", early);
            for (slot, ends) in &ledger.slots {
                prop_assert!(ends.len() == 1, "{} ended as {:?}", Timestamp(*slot), ends);
            }
        }
    }
}
