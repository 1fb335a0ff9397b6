//! The process that compiles: what it does to itself, and what its parent does with it.

use std::{
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use super::{REFUSED, WORKED};
use crate::{COMPILE_WORD, error::PluginError, fault::one_line, loaded::Speed};

/// Bytes of address space of a child: the largest plugins known (Python, 18 MB) take 363 MiB.
const ADDRESS_SPACE: u64 = 3 << 30;
/// Seconds of processor time of a child; Python's plugins take 12 to 18.
const CPU_SECONDS: u64 = 60;
/// How long a child may take by the clock, on a machine that does other things too: one whose processor is wanted by five others has come to 90
/// for Python.
const WALL: Duration = Duration::from_secs(300);
/// Bytes that a child may give.
const COMPILED_BYTES: u64 = 512 << 20;

/// Sets this process's limits, which it can't lift again, and has it end with its parent.
pub(super) fn limit_ourselves() -> io::Result<()> {
    let exactly = |n| Rlimit { current: Some(n), maximum: Some(n) };
    setrlimit(Resource::As, exactly(ADDRESS_SPACE))?;
    // The first of them is a signal that says what happened, the second can't be caught.
    setrlimit(Resource::Cpu, Rlimit { current: Some(CPU_SECONDS), maximum: Some(CPU_SECONDS + 1) })?;
    setrlimit(Resource::Core, exactly(0))?;
    setrlimit(Resource::Fsize, exactly(0))?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

/// Has a child compile it.
pub(super) fn compile(program: &Path, bytes: &[u8], speed: Speed) -> Result<Vec<u8>, PluginError> {
    let machine = |error: io::Error| PluginError::Machine { message: format!("{}: {error}", program.display()) };
    let mut child = Command::new(program)
        .arg(COMPILE_WORD)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(machine)?;
    let talked = talk(&mut child, bytes, speed, WALL);
    if talked.is_none() {
        // It may have ended by itself in the meantime.
        let _ = child.kill();
    }
    let status = child.wait().map_err(machine)?;
    let Some(output) = talked else {
        return Err(PluginError::CompileLimit { resource: "time", limit: format!("{} seconds", WALL.as_secs()) });
    };
    understand(&output, status)
}

/// Gives a child its input and takes its output; `None` if that isn't done in time. The threads end when the child does.
fn talk(child: &mut Child, bytes: &[u8], speed: Speed, wall: Duration) -> Option<Vec<u8>> {
    let (mut stdin, stdout) = (child.stdin.take()?, child.stdout.take()?);
    let input = bytes.to_vec();
    thread::spawn(move || {
        // A child that ends early says why in its output.
        let _ = stdin.write_all(&[u8::from(speed == Speed::Metered)]).and_then(|()| stdin.write_all(&input));
    });
    let (done, output) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut compiled = Vec::new();
        // What was read of a pipe that broke is judged by how the child ended.
        let _ = stdout.take(COMPILED_BYTES).read_to_end(&mut compiled);
        let _ = done.send(compiled);
    });
    match output.recv_timeout(wall) {
        Ok(compiled) => Some(compiled),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Vec::new()),
    }
}

fn understand(output: &[u8], status: ExitStatus) -> Result<Vec<u8>, PluginError> {
    match output.split_first() {
        Some((&WORKED, compiled)) if status.success() => Ok(compiled.to_vec()),
        Some((&REFUSED, message)) if status.success() => {
            Err(PluginError::Compile { message: one_line(&String::from_utf8_lossy(message)) })
        }
        _ => Err(ended_early(status)),
    }
}

fn ended_early(status: ExitStatus) -> PluginError {
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    if is(Signal::XCPU) {
        PluginError::CompileLimit { resource: "time", limit: format!("{CPU_SECONDS} seconds of processor time") }
    } else if is(Signal::ABORT) || is(Signal::KILL) {
        // An allocation that fails aborts, as does a stack that is used up; a system that is out of memory kills.
        PluginError::CompileLimit { resource: "memory or stack", limit: format!("{} GiB", ADDRESS_SPACE >> 30) }
    } else {
        PluginError::Compile { message: format!("the compiler ended early ({status})") }
    }
}
