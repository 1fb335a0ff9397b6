//! Planners: what is to be done for subjects for whom a retention rule acts.

pub use crate::bindings::planner::exports::tierd::plugin::planner::{Action, Event, Proposal, Task};
use crate::{Call, Column, Failure, description::Function, json::Json};

/// A function of columns to proposals; made by [`planner!`](crate::planner!).
pub trait Planner {
    /// Its name in rules.
    const NAME: &'static str;

    /// What `describe` says of it.
    fn describe() -> Function;

    /// Proposals in the order of rows.
    ///
    /// # Errors
    /// Where there are none.
    fn plan(call: &Call, rows: u32, inputs: &[Column]) -> Result<Vec<Proposal>, Failure>;
}

impl Task {
    /// A task with this title and nothing else.
    pub fn new(title: impl Into<String>) -> Self {
        Task { title: title.into(), owner: None, channel: None, text: None, due_days: None }
    }

    /// Whose it is.
    pub fn owner(self, owner: impl Into<String>) -> Self {
        Task { owner: Some(owner.into()), ..self }
    }

    /// By which channel.
    pub fn channel(self, channel: impl Into<String>) -> Self {
        Task { channel: Some(channel.into()), ..self }
    }

    /// What it says.
    pub fn text(self, text: impl Into<String>) -> Self {
        Task { text: Some(text.into()), ..self }
    }

    /// Days from the day of the run.
    pub fn due_days(self, days: u32) -> Self {
        Task { due_days: Some(days), ..self }
    }
}

impl Event {
    /// News of this kind; `data` is an object.
    pub fn new(name: impl Into<String>, data: &Json) -> Self {
        Event { name: name.into(), data: data.to_string() }
    }
}

impl From<Task> for Action {
    fn from(task: Task) -> Self {
        Action::Task(task)
    }
}

impl From<Event> for Action {
    fn from(event: Event) -> Self {
        Action::Event(event)
    }
}

/// What a planner may give for a row: an `Option` or a `Vec` of [`Task`]s, [`Event`]s or [`Action`]s, or a `Result` with either.
pub trait Proposals {
    /// All of them.
    ///
    /// # Errors
    /// Where the function has failed.
    fn actions(self) -> Result<Vec<Action>, Failure>;
}

impl<T: Into<Action>> Proposals for Option<T> {
    fn actions(self) -> Result<Vec<Action>, Failure> {
        Ok(self.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Action>> Proposals for Vec<T> {
    fn actions(self) -> Result<Vec<Action>, Failure> {
        Ok(self.into_iter().map(Into::into).collect())
    }
}

impl<T: Proposals, E: Into<Failure>> Proposals for Result<T, E> {
    fn actions(self) -> Result<Vec<Action>, Failure> {
        self.map_err(Into::into)?.actions()
    }
}

/// Adds what is proposed for a row.
///
/// # Errors
/// Where the function has failed.
pub fn propose(to: &mut Vec<Proposal>, row: u32, proposals: impl Proposals) -> Result<(), Failure> {
    let actions = proposals.actions().map_err(|failure| Failure { row: failure.row.or(Some(row)), ..failure })?;
    to.extend(actions.into_iter().map(|action| Proposal { row, action }));
    Ok(())
}

/// A planner of a function of one row.
///
/// ```
/// use tierd_plugin::Task;
///
/// tierd_plugin::planner! {
///     /// Who calls whom.
///     fn calls(city: &str, spend: f64) -> Option<Task> {
///         (spend >= 1000.0).then(|| Task::new("Call").owner(format!("sales-{city}")).due_days(3))
///     }
/// }
/// # use tierd_plugin::testing;
/// let columns = vec![testing::column(["wuhan", "xian"]), testing::column([500.0, 2000.0])];
/// let proposals = testing::plan::<calls>(&testing::call("calls"), columns).unwrap();
/// assert_eq!(proposals.len(), 1);
/// assert_eq!(proposals[0].row, 1);
/// ```
#[macro_export]
macro_rules! planner {
    ($(#[doc = $doc:literal])* $vis:vis fn $name:ident($($(#[doc = $pdoc:literal])* $param:ident : $ty:ty),* $(,)?) -> $out:ty $body:block) => {
        $(#[doc = $doc])*
        $vis fn $name($($param: $ty),*) -> $out $body

        $(#[doc = $doc])*
        #[allow(non_camel_case_types)]
        $vis struct $name {}

        impl $crate::Planner for $name {
            const NAME: &'static str = stringify!($name);

            fn describe() -> $crate::description::Function {
                $crate::__function!($name, Planner, [$($doc),*], [$([$($pdoc),*] $param: $ty),*], ::std::option::Option::None)
            }

            fn plan(
                call: &$crate::Call,
                rows: u32,
                inputs: &[$crate::Column],
            ) -> ::std::result::Result<::std::vec::Vec<$crate::Proposal>, $crate::Failure> {
                $crate::__bind!(call, rows, inputs, [$($param: $ty),*]);
                let mut proposals = ::std::vec::Vec::new();
                for row in 0..rows {
                    let result = $name($(<$ty as $crate::Parameter<'_>>::at($param, row as usize)),*);
                    $crate::macros::propose(&mut proposals, row, result)?;
                }
                ::std::result::Result::Ok(proposals)
            }
        }
    };
}
