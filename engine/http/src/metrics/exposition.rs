//! Prometheus' text format, version 0.0.4.

use std::fmt::Write;

/// More series of one name than this are left out and counted: a mistake in the rules must not fill the memory of whoever watches.
pub(super) const MOST_SERIES: usize = 2_000;

/// A text that grows family by family.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    left_out: u64,
}

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// Series of one name, as they are written.
#[derive(Debug)]
pub(super) struct Family<'a> {
    out: &'a mut Exposition,
    name: &'static str,
    series: usize,
}

impl Exposition {
    /// Begins the series of a name.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = if kind == Kind::Counter { "counter" } else { "gauge" };
        self.head(name, kind, help);
        Family { out: self, name, series: 0 }
    }

    /// A whole histogram: each bound with what lies between it and the bound before.
    pub(super) fn histogram(
        &mut self,
        name: &'static str,
        help: &str,
        buckets: impl Iterator<Item = (f64, u64)>,
        count: u64,
        sum: f64,
    ) {
        self.head(name, "histogram", help);
        let mut below = 0;
        for (bound, within) in buckets {
            below += within;
            self.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {below}"));
        }
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {sum}"));
        self.line(format_args!("{name}_count {count}"));
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        let left_out = self.left_out as f64;
        self.family(
            "tierd_series_left_out",
            Kind::Gauge,
            "Series that this scrape leaves out, because there are too many.",
        )
        .sample(&[], left_out);
        self.text
    }

    /// The text as it is, for series beside those of a daemon.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string doesn't fail.
        let _ = writeln!(self.text, "{line}");
    }
}

impl Family<'_> {
    /// One series.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.series += 1;
        if self.series > MOST_SERIES {
            self.out.left_out += 1;
            return;
        }
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.out.line(format_args!("{}{labels} {value}", self.name));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_buckets_add_up() {
        let mut out = Exposition::default();
        out.family("a", Kind::Gauge, "An a.").sample(&[("l", "x\"\\\ny"), ("m", "等级")], 1.5);
        out.histogram("h", "An h.", [(0.5, 2), (1.0, 3)].into_iter(), 6, 9.25);
        assert_eq!(
            out.into_text(),
            "# HELP a An a.\n# TYPE a gauge\na{l=\"x\\\"\\\\\\ny\",m=\"等级\"} 1.5\n\
             # HELP h An h.\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 2\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"+Inf\"} 6\n\
             h_sum 9.25\nh_count 6\n"
        );
    }

    #[test]
    fn there_are_only_so_many_series_of_a_name() {
        let mut out = Exposition::default();
        let mut family = out.family("a", Kind::Gauge, "An a.");
        (0..MOST_SERIES + 7).for_each(|n| family.sample(&[("n", &n.to_string())], 1.0));
        let text = out.finish();
        assert_eq!(text.lines().filter(|line| line.starts_with("a{")).count(), MOST_SERIES);
        assert!(text.ends_with("tierd_series_left_out 7\n"), "{}", text.lines().last().unwrap_or(""));
    }
}
