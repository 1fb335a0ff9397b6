//! Why a call gave nothing: a closed set of reasons, and a sentence that holds no values of the database.

use tierd_eval::plugin::PluginFailure;

/// Why a call of a plugin gave nothing. The set is closed: metrics have one counter for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Its time was up.
    Timeout,
    /// Its fuel was used up.
    Fuel,
    /// It wanted more memory, table or instances than it may have.
    Memory,
    /// It did what no program may: a division by zero, an access out of bounds, `unreachable`.
    Trap,
    /// It recursed too deep.
    Stack,
    /// What it gave isn't what its contract says.
    Output,
    /// It says itself that it failed.
    Failed,
    /// It asked for or was to be given what isn't let through.
    Refused,
    /// There is no such plugin or function.
    Missing,
    /// It can't be loaded.
    Compile,
    /// It failed too often in a row, and is left alone for a while.
    Resting,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 11] = [
        Reason::Timeout,
        Reason::Fuel,
        Reason::Memory,
        Reason::Trap,
        Reason::Stack,
        Reason::Output,
        Reason::Failed,
        Reason::Refused,
        Reason::Missing,
        Reason::Compile,
        Reason::Resting,
    ];

    /// In one word, as in [`PluginFailure::reason`].
    pub fn word(self) -> &'static str {
        match self {
            Reason::Timeout => "timeout",
            Reason::Fuel => "fuel",
            Reason::Memory => "memory",
            Reason::Trap => "trap",
            Reason::Stack => "stack",
            Reason::Output => "output",
            Reason::Failed => "failed",
            Reason::Refused => "refused",
            Reason::Missing => "missing",
            Reason::Compile => "compile",
            Reason::Resting => "resting",
        }
    }

    /// Whether it speaks against the plugin, so that it is left alone after some in a row. What an operator hasn't granted, and what can't
    /// be loaded, doesn't get better by waiting.
    pub(crate) fn counts_against(self) -> bool {
        !matches!(self, Reason::Refused | Reason::Missing | Reason::Compile | Reason::Resting)
    }
}

/// A failure that doesn't yet know whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Fault { reason, message: message.into() }
    }

    /// What came back isn't what the contract says.
    pub(crate) fn output(message: impl Into<String>) -> Self {
        Fault::new(Reason::Output, message)
    }

    /// The failure of this function of this plugin.
    pub(crate) fn of(self, plugin: &str, function: &str) -> PluginFailure {
        PluginFailure {
            plugin: plugin.to_owned(),
            function: function.to_owned(),
            reason: self.reason.word(),
            message: self.message,
        }
    }
}

/// How many characters of what a plugin says are shown.
const SAID_CHARS: usize = 300;

/// The first line of what a plugin says, without control characters and cut where it is too long.
pub(crate) fn one_line(said: &str) -> String {
    let line = said.trim().lines().next().unwrap_or_default();
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(SAID_CHARS).collect();
    if line.chars().nth(SAID_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
