//! What retention rules leave: states, actions, tasks, and the stream of events.

use tierd_ledger::{
    ActKind, ActRow, ErrorKind, Event, Keys, LEVEL_CHANGED, Outcome, Reader, RuleDecisions, RuleState, RuleStateRow,
    Task, TaskFilter,
};
use tierd_model::{Date, Key};

use crate::common::*;

const KEYS: &[i64] = &[10, 20, 30];

fn reader(place: &Place) -> Reader {
    Reader::open(&place.path).unwrap()
}

fn state(subject: u32, state: RuleState) -> RuleStateRow {
    RuleStateRow { subject, state }
}

/// A ledger with a task on 10 that is due on day 2, and an event on 20.
fn with_a_task() -> (Place, tierd_ledger::Ledger) {
    let place = place();
    let mut ledger = open(&place.path);
    let acts = [act(0, task("call", 2)), act(1, event("coupon"))];
    let summary = apply_with_rules(&mut ledger, 0, &[], &[win_back(KEYS, &[], &acts)]).unwrap();
    assert_eq!((summary.outcome, summary.transitions, summary.actions), (Outcome::Applied, 0, 2));
    (place, ledger)
}

fn tasks(place: &Place, filter: TaskFilter<'_>) -> Vec<Task> {
    reader(place).tasks(filter).unwrap()
}

fn open_on(day: i64) -> TaskFilter<'static> {
    TaskFilter { open: Some(start(day).today), ..TaskFilter::default() }
}

#[test]
fn states_are_kept_by_mode_and_forgotten_when_there_is_nothing_to_remember() {
    let place = place();
    let mut ledger = open(&place.path);
    let entered = RuleState { entered: Some(start(0).as_of), ..RuleState::default() };
    let acted = RuleState { acted: true, last_acted: Some(start(1).as_of), occurrence: Some(Date(7)), ..entered };
    let live = win_back(KEYS, &[], &[]);
    let first = [state(0, entered), state(2, acted)];
    apply_with_rules(&mut ledger, 0, &[], &[RuleDecisions { states: &first, ..live }]).unwrap();
    let watched = [state(1, entered)];
    let outcome = apply_with_rules(&mut ledger, 1, &[], &[RuleDecisions { states: &watched, shadow: true, ..live }]);
    assert_eq!(outcome.unwrap().outcome, Outcome::Unchanged, "nobody is told anything");
    let states = |shadow, keys: &[i64]| reader(&place).rule_states("win_back", shadow, Keys::Integer(keys)).unwrap();
    assert_eq!((states(false, KEYS), states(true, KEYS)), (first.to_vec(), watched.to_vec()));
    assert_eq!(states(false, &[5, 30]), [state(1, acted)], "aligned with the keys of this run");

    let second = [state(0, RuleState::default()), state(2, entered)];
    apply_with_rules(&mut ledger, 2, &[], &[RuleDecisions { states: &second, ..live }]).unwrap();
    assert_eq!(states(false, KEYS), [state(2, entered)]);
    let one = |subject: usize| {
        reader(&place).rule_state("win_back", false, tierd_ledger::KeyRef::Integer(KEYS[subject])).unwrap()
    };
    assert_eq!([one(0), one(2)], [RuleState::default(), entered]);
    assert_eq!(reader(&place).rule_states("other", false, Keys::Integer(KEYS)).unwrap(), []);
}

#[test]
fn another_wait_begins_entries_anew_that_have_not_acted() {
    let place = place();
    let mut ledger = open(&place.path);
    let entered = |day| RuleState { entered: Some(start(day).as_of), ..RuleState::default() };
    let acted = RuleState { acted: true, last_acted: Some(start(0).as_of), ..entered(0) };
    let cooling = RuleState { last_acted: Some(start(0).as_of), ..entered(0) };
    let all = [state(0, entered(0)), state(1, acted), state(2, cooling)];
    let live = RuleDecisions { hold_for: "2 days", ..win_back(KEYS, &[], &[]) };
    assert_eq!(reader(&place).hold_for("win_back").unwrap(), None);
    let watched = RuleDecisions { shadow: true, ..live };
    let both = [RuleDecisions { states: &all, ..live }, RuleDecisions { states: &all[..1], ..watched }];
    apply_with_rules(&mut ledger, 0, &[], &both).unwrap();
    apply_with_rules(&mut ledger, 1, &[], &[live]).unwrap();
    let states = |shadow| reader(&place).rule_states("win_back", shadow, Keys::Integer(KEYS)).unwrap();
    assert_eq!(states(false), all, "the same wait goes on");

    // Nobody is in the data in this run.
    let longer = RuleDecisions { hold_for: "3 days", keys: Keys::Integer(&[]), ..live };
    apply_with_rules(&mut ledger, 2, &[], &[longer]).unwrap();
    let again = RuleState { entered: Some(start(2).as_of), ..cooling };
    assert_eq!(states(false), [state(0, entered(2)), state(1, acted), state(2, again)]);
    assert_eq!(states(true), [state(0, entered(2))]);
    apply_with_rules(&mut ledger, 3, &[], &[RuleDecisions { hold_for: "", ..live }]).unwrap();
    assert_eq!(states(true), [state(0, entered(3))]);
    assert_eq!(reader(&place).hold_for("win_back").unwrap().as_deref(), Some(""));
}

#[test]
fn what_is_not_recorded_is_no_other_wait() {
    let place = place();
    let mut ledger = open(&place.path);
    let entered = RuleState { entered: Some(start(0).as_of), ..RuleState::default() };
    let live = RuleDecisions { hold_for: "2 days", ..win_back(KEYS, &[], &[]) };
    apply_with_rules(&mut ledger, 0, &[], &[RuleDecisions { states: &[state(0, entered)], ..live }]).unwrap();
    drop(ledger);
    // As an older tierd left it.
    rusqlite::Connection::open(&place.path).unwrap().execute("UPDATE rule SET hold_for = NULL", []).unwrap();
    apply_with_rules(&mut open(&place.path), 1, &[], &[live]).unwrap();
    let states = reader(&place).rule_states("win_back", false, Keys::Integer(KEYS)).unwrap();
    assert_eq!(states, [state(0, entered)]);
}

#[test]
fn decision_made_again_has_the_same_id_and_is_written_once() {
    let (place, mut ledger) = with_a_task();
    let before = reader(&place).actions("win_back").unwrap();
    let acts = [act(0, task("call again", 2)), act(1, event("coupon"))];
    let again = apply_with_rules(&mut ledger, 0, &[], &[win_back(KEYS, &[], &acts)]).unwrap();
    assert_eq!((again.outcome, again.actions), (Outcome::Unchanged, 0));
    assert_eq!(reader(&place).actions("win_back").unwrap(), before);
    assert_eq!(tasks(&place, TaskFilter::default())[0].title, "call");
    let later = apply_with_rules(&mut ledger, 1, &[], &[win_back(KEYS, &[], &acts)]).unwrap();
    assert_eq!(later.actions, 2, "another run's time is another decision");
    assert_sound(&place.path);
}

#[test]
fn actions_are_listed_for_reports_whether_they_took_place_or_not() {
    let (place, mut ledger) = with_a_task();
    let quiet =
        |subject, kind| ActRow { kind, outgoing: Vec::new(), occurrence: Some(Date(3)), ..act(subject, event("")) };
    let acts = [quiet(0, ActKind::HeldOut), quiet(2, ActKind::Shadow)];
    apply_with_rules(&mut ledger, 1, &[], &[win_back(KEYS, &[], &acts)]).unwrap();
    let actions = reader(&place).actions("win_back").unwrap();
    let rows: Vec<_> = actions.iter().map(|a| (a.key.clone(), a.kind, a.as_of, a.run.0, a.occurrence)).collect();
    let row = |key, kind, day, run, occurrence| (Key::Integer(key), kind, start(day).as_of, run, occurrence);
    assert_eq!(
        rows,
        [
            row(10, ActKind::Acted, 0, 1, None),
            row(20, ActKind::Acted, 0, 1, None),
            row(10, ActKind::HeldOut, 1, 2, Some(Date(3))),
            row(30, ActKind::Shadow, 1, 2, Some(Date(3))),
        ]
    );
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM outbox"), 2, "nothing goes out of the others");
}

#[test]
fn whatever_goes_out_for_a_subject_is_an_action_of_its_own() {
    let place = place();
    let mut ledger = open(&place.path);
    let several = ActRow { outgoing: vec![task("call", 2), event("coupon"), task("write", 3)], ..act(0, event("")) };
    let nothing = ActRow { outgoing: Vec::new(), ..act(1, event("")) };
    let acts = [several, nothing];
    let apply = |ledger: &mut _, day| apply_with_rules(ledger, day, &[], &[win_back(KEYS, &[], &acts)]).unwrap();
    assert_eq!(apply(&mut ledger, 0).actions, 4);
    assert_eq!(apply(&mut ledger, 0).actions, 0, "made again, all of them are there");
    let keys: Vec<_> = reader(&place).actions("win_back").unwrap().into_iter().map(|action| action.key).collect();
    assert_eq!(keys, [10, 10, 10, 20].map(Key::Integer));
    let titles: Vec<_> = tasks(&place, TaskFilter::default()).into_iter().map(|task| task.title).collect();
    assert_eq!(titles, ["call", "write"]);
    let kinds = "SELECT group_concat(kind, ' ' ORDER BY id) FROM outbox";
    assert_eq!(query::<String>(&place.path, kinds), "task.created event.coupon task.created");
    assert_eq!(query::<i64>(&place.path, "SELECT count(DISTINCT code) FROM action"), 4);
    assert_sound(&place.path);
}

#[test]
fn late_task_becomes_somebody_elses_once() {
    let (place, mut ledger) = with_a_task();
    let escalated = |ledger: &mut _, day| apply_with_rules(ledger, day, &[], &[]).unwrap().escalated;
    assert_eq!((escalated(&mut ledger, 2), escalated(&mut ledger, 3), escalated(&mut ledger, 4)), (0, 1, 0));
    let late = &tasks(&place, open_on(4))[0];
    assert_eq!((late.owner.as_deref(), late.escalated), (Some("manager"), Some(start(3).as_of)));
    let events = reader(&place).events(0, 10, &["task.escalated"]).unwrap();
    assert_eq!(events.len(), 1);
    assert!(events[0].data.contains(r#""from":"sales","owner":"manager""#), "{}", events[0].data);
    assert_eq!(events[0].id, format!("{}.escalated", late.id));
    let run = reader(&place).runs(2).unwrap().pop().unwrap();
    assert_eq!(run.outcome, Outcome::Applied, "somebody is told something");
    assert_sound(&place.path);
}

#[test]
fn task_is_put_off_and_done() {
    let (place, mut ledger) = with_a_task();
    let id = tasks(&place, open_on(0))[0].id.clone();
    assert_eq!(ledger.snooze_task(&id[..4], start(10).today, "王").unwrap(), id);
    assert_eq!((tasks(&place, open_on(9)).len(), tasks(&place, open_on(10)).len()), (0, 1));
    let overdue = |day| TaskFilter { overdue: Some(start(day).today), ..TaskFilter::default() };
    assert_eq!((tasks(&place, overdue(9)).len(), tasks(&place, overdue(10)).len()), (0, 1));
    assert_eq!(apply_with_rules(&mut ledger, 9, &[], &[]).unwrap().escalated, 0);

    assert_eq!(ledger.finish_task(&id.to_uppercase(), start(11).as_of, "王", Some("called")).unwrap(), id);
    assert_eq!(tasks(&place, open_on(12)), []);
    let done = tasks(&place, TaskFilter { rule: Some("win_back"), owner: Some("sales"), ..TaskFilter::default() });
    assert_eq!(
        done[0].done.as_ref().map(|done| (done.by.as_str(), done.note.as_deref())),
        Some(("王", Some("called")))
    );
    assert_eq!(apply_with_rules(&mut ledger, 12, &[], &[]).unwrap().escalated, 0, "what is done is not late");
    let failure = ledger.finish_task(&id, start(12).as_of, "李", None).unwrap_err();
    assert!(matches!(&failure.kind, ErrorKind::TaskDone { by, .. } if by == "王"), "{failure}");
    assert_sound(&place.path);
}

#[test]
fn tasks_are_found_by_an_unmistakable_beginning() {
    let place = place();
    let mut ledger = open(&place.path);
    let keys: Vec<i64> = (0..400).collect();
    let acts: Vec<ActRow> = (0..400).map(|subject| act(subject, task("call", 2))).collect();
    apply_with_rules(&mut ledger, 0, &[], &[win_back(&keys, &[], &acts)]).unwrap();
    let mut snooze = |id: &str, by: &str| ledger.snooze_task(id, start(1).today, by).map_err(|error| error.kind);
    let ids: Vec<String> = tasks(&place, TaskFilter::default()).into_iter().map(|task| task.id).collect();
    let is_alone = |id: &String| ids.iter().filter(|other| other[..4] == id[..4]).count() == 1;
    let alone = ids.iter().find(|id| is_alone(id)).unwrap();
    assert_eq!(snooze(&alone[..4], "王").unwrap(), *alone);
    assert!(matches!(snooze(&alone[..3], "王"), Err(ErrorKind::AmbiguousTask { .. })));
    assert!(matches!(snooze("zzzz", "王"), Err(ErrorKind::NoTask(_))));
    assert!(matches!(snooze(alone, " "), Err(ErrorKind::Nobody)));
}

#[test]
fn events_are_one_stream_that_a_reader_goes_on_with() {
    let (place, mut ledger) = with_a_task();
    let acts = [act(2, task("write", 5))];
    let set = decisions(Keys::Integer(KEYS), &[0, NONE, 2]);
    apply_with_rules(&mut ledger, 1, &[set], &[win_back(KEYS, &[], &acts)]).unwrap();
    let id = tasks(&place, open_on(1))[0].id.clone();
    ledger.finish_task(&id, start(2).as_of, "王", None).unwrap();

    let reader = reader(&place);
    let all = reader.events(0, 100, &[]).unwrap();
    let kinds: Vec<&str> = all.iter().map(|event| event.kind.as_str()).collect();
    let expected = ["task.created", "event.coupon", LEVEL_CHANGED, LEVEL_CHANGED, "task.created", "task.done"];
    assert_eq!(kinds, expected);
    assert_eq!(all.iter().map(|event| event.cursor).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let mut paged = Vec::new();
    while let page @ [_, ..] = reader.events(paged.last().map_or(0, |e: &Event| e.cursor), 2, &[]).unwrap().as_slice() {
        paged.extend_from_slice(page);
    }
    assert_eq!(paged, all);
    let of_levels = reader.events(3, 100, &[LEVEL_CHANGED]).unwrap();
    assert_eq!(of_levels, all[3..4]);
    assert_eq!(all[3].data, r#"{"from":null,"to":"A","reason":"changed","metrics":{"spend":2}}"#);
    assert_eq!((all[3].set.as_deref(), all[1].rule.as_deref()), (Some("value"), Some("win_back")));
    assert_eq!((all[1].data.as_str(), all[5].run), (r#"{"value":50}"#, None));
    assert_sound(&place.path);
}

#[test]
fn rule_that_looks_at_someone_else_is_refused_as_a_whole() {
    let (place, mut ledger) = with_a_task();
    let other = RuleDecisions { subject: "account", ..win_back(KEYS, &[], &[]) };
    let set = decisions(Keys::Integer(KEYS), &[0, 0, 0]);
    let failure = apply_with_rules(&mut ledger, 1, &[set], &[other]).unwrap_err();
    assert!(failure.to_string().contains("retention rule `win_back`"), "{failure}");
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM run"), 1);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM transition"), 0);
}
