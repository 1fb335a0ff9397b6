//! `tierd serve` in a process of its own, with a service manager that only listens.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tierd_http::client::Client;

use crate::support::Project;

/// Longer than anything takes here on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon, killed when the test ends.
pub(crate) struct Daemon {
    child: Child,
    told: UnixDatagram,
    heard: Vec<String>,
    folder: PathBuf,
    /// Where its part of the log begins: daemons that come one after the other share one.
    log_begins: usize,
}

/// [`Project::shop`], reached by its socket alone.
pub(crate) fn project() -> Project {
    let project = Project::shop();
    project.edit("tierd.toml", "[database]", "[http]\nlisten = \"off\"\n[database]");
    project
}

impl Daemon {
    /// Starts one in this folder and waits until it is ready.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tierd"));
        command.arg("serve").args(args);
        let mut daemon = Daemon::begin(folder, command);
        daemon.hear("READY=1");
        daemon
    }

    /// Starts this command in this folder, which is to become a daemon.
    pub(crate) fn begin(folder: &Path, mut command: Command) -> Self {
        let socket = folder.join("notify");
        let _ = fs::remove_file(&socket);
        let told = UnixDatagram::bind(&socket).unwrap();
        // Also for daemons of other users.
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
        told.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let log_begins = fs::metadata(folder.join("log")).map_or(0, |log| log.len() as usize);
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
        command.current_dir(folder);
        // A sign of life each 0.2 seconds.
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "600000").env_remove("WATCHDOG_PID");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Daemon { child, told, heard: Vec::new(), folder: folder.to_owned(), log_begins }
    }

    /// Waits until the service manager is told something that has this, and gives all of that message.
    pub(crate) fn hear(&mut self, part: &str) -> String {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            self.listen();
            if let Some(at) = self.heard.iter().position(|message| message.contains(part)) {
                let message = self.heard[at].clone();
                self.heard.drain(..=at);
                return message;
            }
        }
        panic!("not told {part}; the log says:\n{}", self.log());
    }

    /// Whether the service manager gets no sign of life for this long.
    pub(crate) fn is_silent(&mut self, long: Duration) -> bool {
        while self.listen() {}
        self.heard.clear();
        let since = Instant::now();
        while since.elapsed() < long {
            self.listen();
        }
        !self.heard.iter().any(|message| message.contains("WATCHDOG=1"))
    }

    fn listen(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let Ok(length) = self.told.recv(&mut buffer) else { return false };
        self.heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        true
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.folder.join("tierd.sock")).unwrap()
    }

    /// Asks for a run as of [`crate::support::AS_OF`], and waits so many seconds for it.
    pub(crate) fn run(&self, wait: u64) -> Value {
        self.client().post("/api/v1/runs", &json!({ "as_of": crate::support::AS_OF, "wait": wait })).unwrap().body
    }

    /// Asks for a run and waits until it has begun.
    pub(crate) fn begin_run(&mut self) {
        let before = self.log().matches("run started").count();
        self.run(0);
        self.wait_for(|daemon| daemon.log().matches("run started").count() > before);
    }

    pub(crate) fn wait_for(&mut self, mut what: impl FnMut(&Self) -> bool) {
        let since = Instant::now();
        while !what(self) {
            assert!(since.elapsed() < PATIENCE, "{}", self.log());
            self.listen();
        }
    }

    /// Waits until SIGTERM is caught, and no longer ends the process at once.
    pub(crate) fn until_it_minds_signals(&mut self) {
        const SIGTERM: u32 = 15;
        let status = format!("/proc/{}/status", self.id());
        self.wait_for(|_| {
            let status = fs::read_to_string(&status).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
            caught & (1 << (SIGTERM - 1)) != 0
        });
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success());
    }

    /// Its end, and how long that took.
    pub(crate) fn end(mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, since.elapsed());
            }
            self.listen();
        }
        panic!("it doesn't end; the log says:\n{}", self.log());
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap().split_off(self.log_begins)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
