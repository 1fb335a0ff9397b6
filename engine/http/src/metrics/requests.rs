//! Requests that were answered, counted by the HTTP server.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::exposition::{Exposition, Kind};

/// Methods that have a name here; a client can make up any other.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Counts of answered requests. One for each server, shared by its handlers.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<(&'static str, String, u16), u64>>);

impl Requests {
    /// A request has been answered. `route` is the pattern that it matched (`/api/v1/customers/{key}`), never its path, which holds keys;
    /// what matched none is counted under an empty one.
    pub fn answered(&self, method: &str, route: &str, status: u16) {
        let method = METHODS.iter().find(|known| **known == method).unwrap_or(&"other");
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((method, route.to_owned(), status)).or_default() += 1;
    }

    /// The counts in Prometheus' text format, to stand beside those of [`super::render`].
    pub fn render(&self) -> String {
        let mut out = Exposition::default();
        let mut requests =
            out.family("tierd_http_requests_total", Kind::Counter, "Answered requests by method, route and status.");
        for ((method, route, status), count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let status = status.to_string();
            requests.sample(&[("method", method), ("route", route), ("status", &status)], *count as f64);
        }
        out.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_make_up_makes_no_series() {
        let requests = Requests::default();
        (0..100).for_each(|n| requests.answered(&format!("M{n}"), "", 405));
        requests.answered("GET", "/api/v1/runs/{run}", 200);
        let text = requests.render();
        assert!(text.contains("{method=\"other\",route=\"\",status=\"405\"} 100\n"), "{text}");
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 2);
    }
}
