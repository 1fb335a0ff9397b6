use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tierd_model::Clock;
use tierd_rules::{CONFIG_FILE, File, FileSet, RuleSet};
use utoipa::ToSchema;

use super::{Api, extract::Body};
use crate::problem::Problem;

/// Files to be checked
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    /// The text of each file by its path from the project's folder, such as `rules/value.toml`: all rule files, and `tierd.toml` unless it is
    /// the one in force
    files: BTreeMap<String, String>,
}

/// What is wrong with files
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checked {
    /// Errors and warnings; an empty list if all is good
    #[schema(value_type = Vec<Diagnostic>)]
    diagnostics: Vec<Value>,
    /// A hash over all files
    revision: String,
}

/// An error or a warning
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Diagnostic {
    /// Its stable code
    code: String,
    /// `error` or `warning`
    severity: String,
    /// What is wrong
    headline: String,
    /// How to mend it
    help: Option<String>,
    /// Where: first the place itself, then others that have to do with it
    places: Vec<Place>,
}

/// A stretch of a file
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Place {
    /// The file
    file: String,
    /// Where it begins, lines and columns from 1
    line: u64,
    column: u64,
    /// Where it ends
    end_line: u64,
    end_column: u64,
    /// What is to be said of it
    label: Option<String>,
}

/// Check files, without the database, changing nothing
#[utoipa::path(post, path = "/api/v1/check", tag = "rules", request_body = Files,
    responses((status = 200, body = Checked, description = "Every error and warning")))]
pub(super) async fn check(State(api): State<Api>, Body(files): Body<Files>) -> Result<Json<Checked>, Problem> {
    let checked = api.blocking(&api.0.checks, move |handle| {
        let loaded = handle.project().check(files.beside(&handle.active().rules)?);
        let mut diagnostics = loaded.diagnostics;
        if let Some(rules) = &loaded.rules {
            let clock = Clock::new(handle.now(), Arc::clone(&rules.config.zone));
            diagnostics.extend(tierd_eval::lint::lints(rules, &clock));
        }
        Ok(Checked {
            diagnostics: diagnostics.iter().map(|diagnostic| diagnostic.to_json(&loaded.files)).collect(),
            revision: loaded.files.revision().to_string(),
        })
    });
    checked.await.map(Json)
}

/// Files in a set, at most.
const FILES: usize = 2000;

/// Characters of a path, at most.
const PATH: usize = 500;

impl Files {
    pub(super) fn new(files: BTreeMap<String, String>) -> Self {
        Files { files }
    }

    /// These files, with the configuration in force where they have none, and the plugins in force.
    pub(super) fn beside(self, rules: &RuleSet) -> Result<FileSet, Problem> {
        if self.files.len() > FILES || self.files.keys().any(|path| path.is_empty() || path.len() > PATH) {
            let detail = format!("at most {FILES} files, whose paths have 1 to {PATH} bytes");
            return Err(Problem::unprocessable("bad-files", detail));
        }
        let given = self.files.into_iter().map(|(path, text)| File { path: path.into(), text: text.into() });
        let mut files: Vec<File> = given.collect();
        if !files.iter().any(|file| &*file.path == CONFIG_FILE) {
            files.extend(rules.files.iter().map(|(_, file)| file).filter(|file| &*file.path == CONFIG_FILE).cloned());
        }
        Ok(FileSet::new(files).with_plugins(rules.files.plugins().to_vec()))
    }
}
