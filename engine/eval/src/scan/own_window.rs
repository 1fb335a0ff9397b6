//! Windows that each subject has for itself, from a date of its own.

use std::collections::HashMap;

use arrow_array::{Array, ArrayRef, BooleanArray, cast::AsArray, types};
use arrow_schema::DataType;
use foldhash::fast::FixedState;
use tierd_model::{Anchor, Clock, Date, Timestamp, Type, Window};

use super::{
    batch::{BATCH_ROWS, VALID, Values},
    mask::{Range, Truth},
    times::time_range,
};

/// The stored times of one window of every subject.
#[derive(Debug, Clone)]
pub(super) struct OwnWindow {
    pub(super) window: Window,
    /// By subject; one more, that holds nothing, for rows of no known subject.
    spans: Vec<Span>,
    /// True for subjects without a date: what is found in the window is then NULL. `None` where all have one.
    pub(super) dateless: Option<BooleanArray>,
}

/// So many stored times from the first on.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: i64,
    length: u64,
}

impl Span {
    const NOTHING: Span = Span { first: 0, length: 0 };

    fn of(Range { low, high }: Range) -> Self {
        // No window reaches over all 2^64 times: it ends with the run.
        if low > high { Span::NOTHING } else { Span { first: low, length: high.wrapping_sub(low) as u64 + 1 } }
    }
}

impl OwnWindow {
    /// The windows of subjects with these anchors (dates or timestamps), over times of this type.
    pub(super) fn new(window: Window, anchors: &ArrayRef, time: Type, clock: &Clock) -> Self {
        let resolve = |anchor| Span::of(time_range(time, window.resolve_from(clock, anchor), clock.zone()));
        let mut spans: Vec<Span> = match anchors.data_type() {
            DataType::Date32 => {
                // Far fewer days than subjects.
                let mut known: HashMap<i32, Span, FixedState> = HashMap::default();
                let of_day = |day| *known.entry(day).or_insert_with(|| resolve(Anchor::Day(Date(day))));
                spans(anchors.as_primitive::<types::Date32Type>(), of_day)
            }
            _ => {
                let of_time = |time| resolve(Anchor::Time(Timestamp(time)));
                spans(anchors.as_primitive::<types::TimestampMicrosecondType>(), of_time)
            }
        };
        spans.push(Span::NOTHING);
        let dateless = anchors.nulls().filter(|nulls| nulls.null_count() > 0);
        OwnWindow { window, spans, dateless: dateless.map(|nulls| BooleanArray::new(!nulls.inner(), None)) }
    }

    /// Asks for the windows of these subjects from memory ahead of time.
    pub(super) fn prefetch(&self, subjects: &[u32; BATCH_ROWS]) {
        for &subject in subjects {
            super::prefetch::prefetch(&self.spans, subject as usize);
        }
    }

    /// 1 for each row whose time lies in its subject's window, 0 elsewhere.
    pub(super) fn mask(&self, times: &Values, subjects: &[u32; BATCH_ROWS], out: &mut Truth) {
        let rows = times.values.iter().zip(&times.flags).zip(subjects);
        for (out, ((&time, flag), &subject)) in out.iter_mut().zip(rows) {
            let Span { first, length } = self.spans[subject as usize];
            *out = u8::from((time.wrapping_sub(first) as u64) < length) & flag & VALID;
        }
    }
}

fn spans<T: types::ArrowPrimitiveType>(
    anchors: &arrow_array::PrimitiveArray<T>,
    mut span: impl FnMut(T::Native) -> Span,
) -> Vec<Span> {
    anchors.iter().map(|anchor| anchor.map_or(Span::NOTHING, &mut span)).collect()
}
