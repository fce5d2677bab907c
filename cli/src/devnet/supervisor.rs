//! The devnet's supervisor: the one parent of all node processes. It starts and ends them, sees at once when one is gone, and
//! keeps `nodes.json` true. It takes commands on a loopback port, each with the token from `supervisor.json`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::layout::{Layout, NodeEntry, SupervisorFacts, read_json, write_json};
use crate::clock;
use crate::error::{CliError, CliResult};

/// How long a node has to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(20);
/// How long a command may take in all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the supervisor can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Start a node that is stopped.
    Start(String),
    /// Let a node end by itself.
    Stop(String),
    /// SIGKILL.
    Kill(String),
    /// End all nodes and then itself.
    Down,
}

#[derive(Serialize, Deserialize)]
struct Request {
    token: String,
    order: Order,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done,
    Refused { code: String, message: String },
}

/// Starts a supervisor for a devnet that was made, and with it all nodes: of `node`, or of the program beside this one.
pub fn launch(layout: &Layout, node: Option<&Path>) -> CliResult<()> {
    let program = std::env::current_exe().map_err(CliError::file(Path::new("portolan")))?;
    let log = std::fs::File::create(layout.supervisor_log()).map_err(CliError::file(&layout.supervisor_log()))?;
    let _ = std::fs::remove_file(layout.supervisor_file());
    let mut child = Command::new(program)
        .args(["devnet", "--dir"])
        .arg(layout.root())
        .arg("supervise")
        .args(node.into_iter().flat_map(|node| [OsStr::new("--node-program"), node.as_os_str()]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(CliError::file(Path::new("portolan devnet supervise")))?;
    // The supervisor says one line when it takes commands; the pipe ends when it dies before.
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(CliError::file(&layout.supervisor_log()))?;
    }
    if line.trim() == "ready" {
        return Ok(());
    }
    let said = std::fs::read_to_string(layout.supervisor_log()).unwrap_or_default();
    Err(CliError::refused("supervisor_failed", format!("the devnet's supervisor did not start: {}", said.trim())))
}

/// Whether a supervisor answers for this devnet.
pub fn runs(layout: &Layout) -> bool {
    let facts: CliResult<SupervisorFacts> = read_json(&layout.supervisor_file());
    facts.is_ok_and(|facts| TcpStream::connect_timeout(&facts.control, Duration::from_secs(2)).is_ok())
}

/// Gives an order and waits until it is carried out.
pub fn order(layout: &Layout, order: Order) -> CliResult<()> {
    let stopped =
        || CliError::refused("devnet_not_running", "the devnet is not running; start it with `./scripts/devnet up`");
    let facts: SupervisorFacts = read_json(&layout.supervisor_file()).map_err(|_| stopped())?;
    let mut stream = TcpStream::connect_timeout(&facts.control, Duration::from_secs(2)).map_err(|_| stopped())?;
    let request = Request { token: facts.token, order };
    let answer = exchange(&mut stream, &request).map_err(|_| stopped())?;
    match answer {
        Answer::Done => Ok(()),
        Answer::Refused { code, message } => Err(CliError::refused(code, message)),
    }
}

fn exchange(stream: &mut TcpStream, request: &Request) -> std::io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = serde_json::to_string(request)?;
    text.push('\n');
    stream.write_all(text.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// The nodes' processes as the supervisor knows them.
struct Nodes {
    layout: Layout,
    program: PathBuf,
    entries: Mutex<Vec<NodeEntry>>,
    changed: Condvar,
}

impl Nodes {
    fn lock(&self) -> MutexGuard<'_, Vec<NodeEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a node's process and writes the list before anybody is told.
    fn set_pid(&self, name: &str, pid: Option<u32>) {
        let mut entries = self.lock();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.name == name) {
            entry.pid = pid;
        }
        if let Err(error) = self.layout.write_nodes(&entries) {
            eprintln!("{error}");
        }
        self.changed.notify_all();
    }

    /// The process of a node, or a refusal for a name that no node has.
    fn pid(&self, name: &str) -> CliResult<Option<u32>> {
        let entries = self.lock();
        let found = entries.iter().find(|entry| entry.name == name);
        let names = || entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ");
        let unknown =
            || CliError::refused("unknown_node", format!("there is no node `{name}`; the nodes are {}", names()));
        found.map(|entry| entry.pid).ok_or_else(unknown)
    }

    /// Waits until the node has no process, at most `patience`; whether it came to that.
    fn gone(&self, name: &str, patience: Duration) -> bool {
        let runs = |entries: &mut Vec<NodeEntry>| entries.iter().any(|entry| entry.name == name && entry.pid.is_some());
        let waited = self.changed.wait_timeout_while(self.lock(), patience, runs);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// Runs the supervisor until it is told to end, over nodes of `program`, or of the one beside this.
pub fn supervise(layout: &Layout, program: Option<&Path>) -> CliResult<()> {
    let program = node_program(program)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(CliError::file(Path::new("control port")))?;
    let facts = write_facts(layout, &listener)?;
    let mut entries = layout.nodes()?;
    entries.iter_mut().for_each(|entry| entry.pid = None);
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let nodes =
        Arc::new(Nodes { layout: layout.clone(), program, entries: Mutex::new(entries), changed: Condvar::new() });
    for name in &names {
        start(&nodes, name)?;
    }
    println!("ready");
    for stream in listener.incoming().flatten() {
        if serve(&nodes, &facts.token, stream) {
            break;
        }
    }
    let _ = std::fs::remove_file(layout.supervisor_file());
    Ok(())
}

fn write_facts(layout: &Layout, listener: &TcpListener) -> CliResult<SupervisorFacts> {
    let random: [u8; 16] = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    let token = portolan_primitives::hex::encode(&random);
    let control = listener.local_addr().map_err(CliError::file(Path::new("control port")))?;
    let facts = SupervisorFacts { pid: std::process::id(), control, token };
    let path = layout.supervisor_file();
    // The token is for this user alone, so the file is made with its mode before anything is in it.
    let _ = std::fs::remove_file(&path);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(&path).map_err(CliError::file(&path))?;
    write_private(&path, &facts)?;
    Ok(facts)
}

fn write_private(path: &Path, facts: &SupervisorFacts) -> CliResult<()> {
    let text = serde_json::to_string(facts).map_err(|error| CliError::refused("json", error.to_string()))?;
    std::fs::write(path, text).map_err(CliError::file(path))
}

/// Serves one connection; whether it was the order to end.
fn serve(nodes: &Arc<Nodes>, token: &str, mut stream: TcpStream) -> bool {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut line = String::new();
    let Ok(reader) = stream.try_clone() else { return false };
    if BufReader::new(std::io::Read::take(reader, 64 * 1024)).read_line(&mut line).is_err() {
        return false;
    }
    let Ok(request) = serde_json::from_str::<Request>(&line) else { return false };
    if request.token != token {
        return false;
    }
    let down = request.order == Order::Down;
    let answer = match carry_out(nodes, request.order) {
        Ok(()) => Answer::Done,
        Err(error) => Answer::Refused { code: error.code(), message: error.to_string() },
    };
    let text = serde_json::to_string(&answer).unwrap_or_default();
    let _ = stream.write_all(format!("{text}\n").as_bytes());
    down
}

fn carry_out(nodes: &Arc<Nodes>, order: Order) -> CliResult<()> {
    match order {
        Order::Start(name) => match nodes.pid(&name)? {
            Some(_) => Err(CliError::refused("already_running", format!("{name} is running already"))),
            None => start(nodes, &name),
        },
        Order::Stop(name) => end(nodes, &name, Signal::TERM),
        Order::Kill(name) => end(nodes, &name, Signal::KILL),
        Order::Down => {
            let names: Vec<String> = nodes.lock().iter().map(|entry| entry.name.clone()).collect();
            names.iter().filter_map(|name| nodes.pid(name).ok().flatten()).for_each(|pid| signal(pid, Signal::TERM));
            names
                .iter()
                .try_for_each(|name| if nodes.pid(name)?.is_some() { end(nodes, name, Signal::TERM) } else { Ok(()) })
        }
    }
}

fn start(nodes: &Arc<Nodes>, name: &str) -> CliResult<()> {
    let layout = &nodes.layout;
    let log_path = layout.log(name);
    let log =
        std::fs::OpenOptions::new().create(true).append(true).open(&log_path).map_err(CliError::file(&log_path))?;
    let child = Command::new(&nodes.program)
        .args(["run", "--config"])
        .arg(layout.config(name))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(CliError::file(Path::new("portolan-node")))?;
    nodes.set_pid(name, Some(child.id()));
    watch(nodes.clone(), name.to_owned(), child);
    Ok(())
}

/// Sees the node's end and notes it.
fn watch(nodes: Arc<Nodes>, name: String, mut child: Child) {
    std::thread::spawn(move || {
        match child.wait() {
            Ok(status) => eprintln!("{name} ended: {status}"),
            Err(error) => eprintln!("{name} can't be watched: {error}"),
        }
        nodes.set_pid(&name, None);
    });
}

fn end(nodes: &Arc<Nodes>, name: &str, how: Signal) -> CliResult<()> {
    let Some(pid) = nodes.pid(name)? else {
        return Err(CliError::refused("already_stopped", format!("{name} is stopped already")));
    };
    signal(pid, how);
    if nodes.gone(name, GRACE) {
        return Ok(());
    }
    signal(pid, Signal::KILL);
    if nodes.gone(name, GRACE) { Ok(()) } else { Err(CliError::refused("node_stays", format!("{name} does not end"))) }
}

/// A pid is of a child that was not waited for, so it can't be another process by now.
fn signal(pid: u32, how: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, how);
    }
}

/// The node's program: the named one, or that which lies beside this.
fn node_program(named: Option<&Path>) -> CliResult<PathBuf> {
    let own = std::env::current_exe().map_err(CliError::file(Path::new("portolan")))?;
    let program = named.map_or_else(|| own.with_file_name("portolan-node"), Path::to_path_buf);
    if program.exists() {
        return Ok(program);
    }
    let message = format!("{} is missing; build it with `cargo build --release --workspace --bins`", program.display());
    Err(CliError::refused("no_node_program", message))
}

/// Puts what is known of the nodes where others read it, before the first of them is started.
pub fn write_stopped(layout: &Layout, entries: &[NodeEntry]) -> CliResult<()> {
    write_json(&layout.nodes_file(), &entries)
}
