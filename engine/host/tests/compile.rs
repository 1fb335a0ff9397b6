//! Compiling in a process of its own, and what is kept of it. This program is its own child, so it has a `main` and no harness.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "this program is a test")]

mod guests;

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use guests::Guest;
use tierd_host::{COMPILE_WORD, Compiler, Host, HostOptions, PluginError, compile_child};

fn main() -> ExitCode {
    let word = env::args().nth(1);
    if word.as_deref() == Some(COMPILE_WORD) {
        return match compile_child(io::stdin().lock(), io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    // `cargo test -- NAME` runs those whose names have it.
    let chosen = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for (name, test) in TESTS {
        if name.contains(&chosen) {
            println!("test {name} ...");
            test();
        }
    }
    ExitCode::SUCCESS
}

const TESTS: &[(&str, fn())] = &[
    ("a_child_compiles_what_this_process_would", a_child_compiles_what_this_process_would),
    ("a_child_says_why_it_refuses", a_child_says_why_it_refuses),
    ("what_was_compiled_is_kept_and_found_again", what_was_compiled_is_kept_and_found_again),
    ("a_damaged_file_is_compiled_again", a_damaged_file_is_compiled_again),
    ("a_folder_open_to_others_is_not_used", a_folder_open_to_others_is_not_used),
    ("a_program_that_cannot_be_started_is_named", a_program_that_cannot_be_started_is_named),
    ("a_module_with_a_changed_byte_never_ends_the_program", a_module_with_a_changed_byte_never_ends_the_program),
    (
        "a_compile_bomb_ends_within_its_limits_and_the_host_goes_on",
        a_compile_bomb_ends_within_its_limits_and_the_host_goes_on,
    ),
];

fn host(cache: Option<&Path>) -> Host {
    let program = env::current_exe().unwrap();
    Host::new(HostOptions { cache: cache.map(Path::to_owned), compiler: Compiler::Child { program } })
}

fn describe(host: &Host, guest: &Guest) {
    assert_eq!(*host.describe(&guest.bytes).unwrap(), guest.description);
}

fn compile_seconds(host: &Host) -> Option<f64> {
    host.stats()[0].compile_seconds
}

fn a_child_compiles_what_this_process_would() {
    let mut guest = guests::good("weighted");
    let host = host(None);
    describe(&host, &guest);
    assert!(compile_seconds(&host).is_some());
    for fuel in [None, Some(1_000_000)] {
        guest.limits.fuel = fuel;
        host.self_test(&guest.plugin(), &guest.call()).unwrap();
    }
}

fn a_child_says_why_it_refuses() {
    let guest = guests::folder("hostile").into_iter().find(|guest| guest.name == "memory64").unwrap();
    let in_child = host(None).describe(&guest.bytes).unwrap_err();
    let here = Host::new(HostOptions::default()).describe(&guest.bytes).unwrap_err();
    assert_eq!(in_child, here);
    assert!(matches!(in_child, PluginError::Compile { .. }), "{in_child}");
}

fn what_was_compiled_is_kept_and_found_again() {
    let (folder, guest) = (tempfile::tempdir().unwrap(), guests::good("weighted"));
    let cache = folder.path().join("compiled");
    let first = host(Some(&cache));
    describe(&first, &guest);
    assert!(compile_seconds(&first).is_some());
    let second = host(Some(&cache));
    describe(&second, &guest);
    assert_eq!(compile_seconds(&second), None);
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
}

fn a_damaged_file_is_compiled_again() {
    let (folder, guest) = (tempfile::tempdir().unwrap(), guests::good("weighted"));
    let cache = folder.path().join("compiled");
    describe(&host(Some(&cache)), &guest);
    let file = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&file, bytes).unwrap();
    let again = host(Some(&cache));
    describe(&again, &guest);
    assert!(compile_seconds(&again).is_some());
    let found = host(Some(&cache));
    describe(&found, &guest);
    assert_eq!(compile_seconds(&found), None, "it was mended");
}

fn a_folder_open_to_others_is_not_used() {
    let (folder, guest) = (tempfile::tempdir().unwrap(), guests::good("weighted"));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let host = host(Some(folder.path()));
    assert!(host.cache_problem().unwrap().contains("chmod 700"));
    describe(&host, &guest);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn a_program_that_cannot_be_started_is_named() {
    let compiler = Compiler::Child { program: "/no/such/program".into() };
    let host = Host::new(HostOptions { cache: None, compiler });
    let error = host.describe(&guests::good("weighted").bytes).unwrap_err();
    assert!(matches!(&error, PluginError::Machine { message } if message.contains("/no/such/program")), "{error}");
}

/// What makes components of modules isn't made for hostile ones: a changed section of types can send it into a recursion without end.
fn a_module_with_a_changed_byte_never_ends_the_program() {
    let (host, whole) = (host(None), guests::good("weighted").bytes);
    for at in (0..whole.len()).step_by(41) {
        let mut changed = whole.clone();
        changed[at] ^= 0x15;
        // It may be as good as before, and is then described.
        let _ = host.describe(&changed);
    }
    describe(&host, &guests::good("weighted"));
}

/// Takes more time than a child is given, or more memory: which of them depends on the machine and on how this program was built.
fn a_compile_bomb_ends_within_its_limits_and_the_host_goes_on() {
    let (host, bomb) = (host(None), guests::compile_bomb());
    println!("  a bomb of {} bytes", bomb.len());
    let begun = Instant::now();
    let error = host.describe(&bomb).unwrap_err();
    println!("  {error} ({:?})", begun.elapsed());
    assert!(matches!(error, PluginError::CompileLimit { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(180));
    describe(&host, &guests::good("weighted"));
}
