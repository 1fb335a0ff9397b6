//! What a daemon can't change while it lives.
//!
//! Few things are: where it listens, because others have been told so, and where its ledger is, because its lock and everything
//! that it remembers are there. The database, the rules folder, the zone and everything else follow the files.

use tierd_rules::Config;

use super::problem::SETTINGS;
use crate::serve::Problem;

/// The settings that a daemon began with, and keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings(Vec<(&'static str, String)>);

impl Settings {
    pub(super) fn of(config: &Config) -> Self {
        let http = &config.http;
        let or_off = |setting: Option<String>| setting.unwrap_or_else(|| "off".to_owned());
        Settings(vec![
            ("[http] listen", or_off(http.listen.map(|address| address.to_string()))),
            ("[http] socket", or_off(http.socket.clone())),
            ("[http] token_file", or_off(http.token_file.clone())),
            ("[http] hosts", http.hosts.join(", ")),
            ("[http] origins", http.origins.join(", ")),
            ("[ledger] path", config.ledger.clone()),
        ])
    }

    /// Each setting that these files change, by name.
    pub(super) fn changed(&self, config: &Config) -> Vec<Problem> {
        let wanted = Settings::of(config);
        let pairs = self.0.iter().zip(wanted.0).filter(|(now, wanted)| **now != *wanted);
        let problem = |((name, now), (_, wanted)): (&(&str, String), (&str, String))| {
            let message = format!("`{name}` changes from `{now}` to `{wanted}`, which needs a restart of the daemon");
            Problem { file: Some(tierd_rules::CONFIG_FILE.to_owned()), ..Problem::plain(SETTINGS, message) }
        };
        pairs.map(problem).collect()
    }
}
