//! One road by which rules come into force, at the start and ever after.

use std::sync::Arc;

use tierd_rules::FileSet;
use tokio::sync::{mpsc, oneshot};

use super::{Active, Handle, Origin, Problem, Refused, StartError, Wall};
use crate::{Loaded, Project};

/// Why the files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReloadCause {
    /// The daemon starts.
    Start,
    /// A file has changed.
    Watch,
    /// It is time to look, in case that a change went unseen.
    Poll,
    /// SIGHUP.
    Signal,
    /// Somebody asked.
    Request,
}

/// What came of looking at the files.
#[derive(Debug, Clone)]
pub enum Reloaded {
    /// They are as they were.
    Unchanged(Arc<Active>),
    /// They are in force from now on.
    Activated(Arc<Active>),
    /// They are refused; the rules before stay in force. [`Active::refused`] says why.
    Refused(Arc<Active>),
}

/// Somebody wants the files to be looked at.
#[derive(Debug)]
pub(super) struct ReloadRequest {
    pub(super) cause: ReloadCause,
    pub(super) reply: Option<oneshot::Sender<Reloaded>>,
}

/// The rules to begin with.
pub(super) fn first(project: &Project, wall: &dyn Wall) -> Result<Active, StartError> {
    let loaded = project.load()?;
    match loaded.rules {
        Some(rules) => Ok(Active { rules: Arc::new(rules), since: wall.now(), origin: Origin::Files, refused: None }),
        None => Err(StartError::NoRules { problems: problems(&loaded).into_iter().map(|p| p.rendered).collect() }),
    }
}

/// Looks at the files whenever asked to.
pub(super) async fn task(handle: Handle, mut requests: mpsc::Receiver<ReloadRequest>) {
    loop {
        let request = tokio::select! {
            biased;
            () = handle.stopped() => return,
            request = requests.recv() => request,
        };
        let Some(ReloadRequest { cause, reply }) = request else { return };
        let reloaded = look(&handle, cause).await;
        if let Some(reply) = reply {
            let _ = reply.send(reloaded);
        }
    }
}

async fn look(handle: &Handle, _cause: ReloadCause) -> Reloaded {
    let (project, before, now) = (handle.project().clone(), handle.active(), handle.now());
    let loaded = tokio::task::spawn_blocking(move || project.load()).await;
    let Ok(Ok(loaded)) = loaded else { return Reloaded::Unchanged(before) };
    if loaded.files.revision() == before.rules.revision {
        return Reloaded::Unchanged(before);
    }
    match loaded.rules {
        Some(rules) => {
            let active = Arc::new(Active { rules: Arc::new(rules), since: now, origin: Origin::Files, refused: None });
            handle.parts().active.send_replace(Arc::clone(&active));
            Reloaded::Activated(active)
        }
        None => {
            let refused =
                Refused { since: now, files: loaded.files.revision().to_string(), problems: problems(&loaded) };
            let active = Arc::new(Active { refused: Some(refused), ..(*before).clone() });
            handle.parts().active.send_replace(Arc::clone(&active));
            Reloaded::Refused(active)
        }
    }
}

fn problems(loaded: &Loaded) -> Vec<Problem> {
    let problem = |diagnostic: &tierd_rules::Diagnostic, files: &FileSet| Problem {
        code: diagnostic.code.to_string(),
        file: None,
        line: None,
        column: None,
        message: diagnostic.headline.clone(),
        rendered: diagnostic.render(files, false),
    };
    loaded.diagnostics.iter().map(|diagnostic| problem(diagnostic, &loaded.files)).collect()
}
