//! The way in for whoever runs the node on its own machine: a socket in its home, one question and one answer a connection, each a
//! line of JSON.
//!
//! Only the user that the node runs as, and root, are answered; nothing of it is reachable over the network. Must never change
//! what the node decides, and never keep a block waiting.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::limits::{ADMIN_LINE, ADMIN_PATIENCE, ADMIN_PAUSE};
use crate::store::Store;

/// Name of the socket in the home.
pub const SOCKET: &str = "admin.sock";

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Copy the store as it is now.
    Checkpoint {
        /// A folder that is not there yet, absolute.
        to: PathBuf,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// It is done.
    Done,
    /// Why not, in words.
    Refused(String),
}

/// Why nobody answered.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No node runs on this home.
    #[error("no node runs on {0}")]
    NotRunning(PathBuf),
    /// The connection failed.
    #[error("the node's socket {path} failed: {source}; run this as the node's user, and see its log")]
    Io {
        /// Which socket.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// The socket of a running node; it is gone when this is dropped.
#[derive(Debug)]
pub struct Admin {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Admin {
    /// Takes no more questions; what the socket holds is let go of when this returns.
    pub async fn close(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Opens the socket in `home`. The home's store is open here, so a socket that is there is one that a kill left behind.
    ///
    /// # Errors
    /// The system refuses, as where the path is longer than a socket's name may be.
    pub fn start(home: &Path, store: Arc<Store>) -> std::io::Result<Self> {
        let path = home.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let owner = std::fs::metadata(&path)?.uid();
        let task = tokio::spawn(serve(listener, store, owner));
        Ok(Self { path, task })
    }
}

async fn serve(listener: UnixListener, store: Arc<Store>, owner: u32) {
    loop {
        // One after the other: nothing that is asked here is in a hurry.
        let answered = match listener.accept().await {
            Ok((stream, _)) => tokio::time::timeout(ADMIN_PATIENCE, answer(stream, &store, owner)).await,
            Err(error) => {
                // As when too many files are open: asking again at once would only fail again.
                tokio::time::sleep(ADMIN_PAUSE).await;
                Ok(Err(error))
            }
        };
        match answered {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a question at the node's socket was not answered"),
            Err(_) => tracing::warn!("a question at the node's socket took too long"),
        }
    }
}

async fn answer(mut stream: UnixStream, store: &Arc<Store>, owner: u32) -> std::io::Result<()> {
    let asking = stream.peer_cred()?.uid();
    if !is_trusted(asking, owner) {
        tracing::warn!(asking, "another user asked at the node's socket");
        return Ok(());
    }
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    tokio::io::BufReader::new(reader.take(ADMIN_LINE)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => perform(request, store).await,
        Err(error) => Answer::Refused(format!("the question can't be read: {error}")),
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    writer.write_all(&bytes).await
}

/// Whether this user may ask: the one that the node runs as, who owns its socket, or root.
fn is_trusted(user: u32, owner: u32) -> bool {
    user == 0 || user == owner
}

async fn perform(request: Request, store: &Arc<Store>) -> Answer {
    let Request::Checkpoint { to } = request;
    if !to.is_absolute() {
        return Answer::Refused(format!("{} is not absolute", to.display()));
    }
    let store = store.clone();
    let done = tokio::task::spawn_blocking(move || store.checkpoint(&to)).await;
    match done {
        Ok(Ok(())) => Answer::Done,
        Ok(Err(error)) => Answer::Refused(error.to_string()),
        Err(_) => Answer::Refused("it failed; see the node's log".into()),
    }
}

/// Asks the node that runs on `home`, and waits for its answer.
///
/// # Errors
/// Nobody answered.
pub fn ask(home: &Path, request: &Request) -> Result<Answer, AdminError> {
    let path = home.join(SOCKET);
    let stream = match Blocking::connect(&path) {
        Ok(stream) => stream,
        Err(error) if is_nobody(&error) => return Err(AdminError::NotRunning(home.into())),
        Err(source) => return Err(AdminError::Io { path, source }),
    };
    let talk = || -> std::io::Result<Answer> {
        stream.set_read_timeout(Some(ADMIN_PATIENCE))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        (&stream).write_all(&line)?;
        let mut answered = String::new();
        BufReader::new((&stream).take(ADMIN_LINE)).read_line(&mut answered)?;
        Ok(serde_json::from_str(&answered)?)
    };
    talk().map_err(|source| AdminError::Io { path, source })
}

fn is_nobody(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::Hash;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_node_answers_its_own_user_and_the_socket_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let store = Arc::new(Store::open(&home.join("store"), &Hash([7; 32]), 8 << 20).unwrap());
        assert!(matches!(ask(&home, &Request::Checkpoint { to: home.join("copy") }), Err(AdminError::NotRunning(_))));
        let admin = Admin::start(&home, store).unwrap();
        let mode = std::fs::metadata(home.join(SOCKET)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let ask_for = |to: PathBuf| {
            let home = home.clone();
            tokio::task::spawn_blocking(move || ask(&home, &Request::Checkpoint { to }).unwrap())
        };
        assert_eq!(ask_for(home.join("copy")).await.unwrap(), Answer::Done);
        assert!(home.join("copy/CURRENT").exists());
        assert!(matches!(ask_for(home.join("copy")).await.unwrap(), Answer::Refused(why) if why.contains("copy")));
        let relative = ask_for("copy".into()).await.unwrap();
        assert_eq!(relative, Answer::Refused("copy is not absolute".into()));
        drop(admin);
        assert!(!home.join(SOCKET).exists());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_no_question_is_refused_and_the_next_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let store = Arc::new(Store::open(&home.join("store"), &Hash([7; 32]), 8 << 20).unwrap());
        // What a kill left behind is no hindrance.
        drop(std::os::unix::net::UnixListener::bind(home.join(SOCKET)).unwrap());
        let _admin = Admin::start(&home, store).unwrap();
        let path = home.join(SOCKET);
        let said = tokio::task::spawn_blocking(move || {
            let long = vec![b'x'; ADMIN_LINE as usize + 10];
            let say = |bytes: &[u8]| {
                let mut stream = Blocking::connect(&path).unwrap();
                // What is longer than a line may be is not read to its end.
                let _ = stream.write_all(bytes);
                let mut answered = String::new();
                let _ = stream.read_to_string(&mut answered);
                answered
            };
            [say(b"{\"stop\":{}}\n"), say(&long), say(b"\n")]
        });
        let said = said.await.unwrap();
        assert!(said[0].contains("the question can't be read: unknown variant `stop`"), "{said:?}");
        assert!(said[2].contains("the question can't be read"), "{said:?}");
        let to = home.join("copy");
        let answered = tokio::task::spawn_blocking(move || ask(&home, &Request::Checkpoint { to }).unwrap());
        assert_eq!(answered.await.unwrap(), Answer::Done);
    }

    #[test]
    fn only_the_nodes_user_and_root_are_trusted() {
        assert!(is_trusted(1_000, 1_000) && is_trusted(0, 1_000));
        assert!(!is_trusted(1_001, 1_000) && !is_trusted(1_000, 0));
    }
}
