//! The program under test, as processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::{Failure, http, shop::Folder};

/// The `tierd` beside this program.
fn program() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?.with_file_name("tierd");
    if !program.exists() {
        return Err(format!("there is no {}; build it first: cargo build --release", program.display()).into());
    }
    Ok(program)
}

/// `tierd -C FOLDER WORDS`.
pub(crate) fn tierd(folder: &Path, words: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(program()?);
    command.arg("-C").arg(folder).args(words);
    Ok(command)
}

/// Runs it to its end; an end that isn't good is an error with what it printed.
pub(crate) fn done(folder: &Path, words: &[&str]) -> Result<Output, Failure> {
    let output = tierd(folder, words)?.output()?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("tierd {}: {}\n{}", words.join(" "), output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// Starts it; what it prints is thrown away.
pub(crate) fn start(folder: &Path, words: &[&str]) -> Result<Process, Failure> {
    let mut command = tierd(folder, words)?;
    Ok(Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
}

/// A process; dropped, it is killed.
pub(crate) struct Process(Child);

impl Process {
    /// kill -9.
    pub(crate) fn kill(mut self) -> Result<(), Failure> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// SIGTERM, and its end.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status()?;
        let status = self.0.wait()?;
        if status.success() { Ok(()) } else { Err(format!("tierd ended with {status}").into()) }
    }

    /// Anonymous and resident memory, in MiB.
    pub(crate) fn memory(&self) -> Result<(f64, f64), Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
        };
        Ok((of("RssAnon:"), of("VmRSS:")))
    }

    /// Open files, sockets among them.
    pub(crate) fn handles(&self) -> Result<usize, Failure> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.0.id()))?.count())
    }

    /// Processor time so far, in seconds.
    pub(crate) fn processor_seconds(&self) -> Result<f64, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        Ok(fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a daemon and waits until it answers.
pub(crate) fn serve(folder: &Folder) -> Result<Process, Failure> {
    let process = start(&folder.path, &["serve"])?;
    await_ready(folder)?;
    Ok(process)
}

/// Waits until a daemon answers on its socket.
pub(crate) fn await_ready(folder: &Folder) -> Result<(), Failure> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if http::get(&folder.socket(), "/-/ready").is_ok_and(|answer| answer.status == 200) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err("the daemon doesn't answer on its socket within 20 s".into())
}
