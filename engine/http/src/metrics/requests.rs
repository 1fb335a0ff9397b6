//! Requests that were answered, counted by the HTTP server.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::exposition::{Exposition, Kind};

/// Counts of answered requests. One for each server, shared by its handlers.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<(String, String, u16), u64>>);

impl Requests {
    /// A request has been answered. `route` is the pattern that it matched (`/api/v1/customers/{key}`), never its path, which holds keys;
    /// what matched none is counted under an empty one.
    pub fn answered(&self, method: &str, route: &str, status: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((method.to_owned(), route.to_owned(), status)).or_default() += 1;
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
