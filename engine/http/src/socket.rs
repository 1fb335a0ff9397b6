//! The Unix socket: made so that nobody else can connect for a moment, replaced where its daemon is dead, removed at the end.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use crate::access::Peer;

/// Its user and its group.
const MODE: u32 = 0o660;

/// A socket that listens, and its file.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    file: SocketFile,
}

/// Removes the file when it is dropped, unless another has taken its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
    user: u32,
}

impl Socket {
    /// Listens at this path.
    ///
    /// # Errors
    /// Where something answers there already, where there is a file that isn't a socket, and whatever else the operating system says.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        make_way(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        // In a folder of our own until its mode is right. The name is short: a socket's path has at most 107 bytes.
        let private = folder.join(format!(".tierd-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&private)?;
        let listener = bind_within(&private, path);
        let cleared = fs::remove_dir(&private);
        let listener = listener?;
        cleared?;
        let metadata = fs::symlink_metadata(path)?;
        let file =
            SocketFile { path: path.to_owned(), identity: (metadata.dev(), metadata.ino()), user: metadata.uid() };
        Ok(Socket { listener, file })
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = self.listener.accept().await?;
        let trusted = self.file.trusts(&stream);
        Ok((stream, Peer::Unix { trusted }))
    }
}

fn bind_within(private: &Path, path: &Path) -> io::Result<UnixListener> {
    let temporary = private.join("s");
    let listener = UnixListener::bind(&temporary)?;
    let moved =
        fs::set_permissions(&temporary, Permissions::from_mode(MODE)).and_then(|()| fs::rename(&temporary, path));
    if moved.is_err() {
        // Best effort: what matters is the error that comes first.
        let _ = fs::remove_file(&temporary);
    }
    moved.map(|()| listener)
}

/// What is at the path must be a socket at which nobody answers, or nothing.
fn make_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of this name that is no socket"))
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another daemon answers there")),
            Err(_) => Ok(()),
        },
    }
}

impl SocketFile {
    /// Whether this process runs as the socket's user or as root, or could only connect because the file lets its group in.
    fn trusts(&self, stream: &UnixStream) -> bool {
        let by_user = stream.peer_cred().is_ok_and(|peer| peer.uid() == self.user || peer.uid() == 0);
        // The kernel lets nobody connect who may not write the file: so if that isn't everybody, it was the user, the group, or root.
        let closed = fs::symlink_metadata(&self.path)
            .is_ok_and(|file| (file.dev(), file.ino()) == self.identity && file.mode() & 0o002 == 0);
        by_user || closed
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|file| (file.dev(), file.ino()) == self.identity);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(error = %error, "the socket's file can't be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_of_a_dead_daemon_is_replaced_and_that_of_a_living_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tierd.sock");
        // As a killed process leaves it: a file at which nobody listens.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let first = Socket::bind(&path).unwrap();
        assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o777, MODE);
        assert_eq!(Socket::bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }

    #[tokio::test]
    async fn what_is_no_socket_of_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tierd.sock");
        fs::write(&path, "somebody's").unwrap();
        assert_eq!(Socket::bind(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");
        fs::remove_file(&path).unwrap();
        let first = Socket::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = Socket::bind(&path).unwrap();
        drop(first);
        assert!(path.exists(), "the second one's stays");
        drop(second);
    }

    #[tokio::test]
    async fn peers_are_trusted_by_user_or_by_the_mode_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tierd.sock");
        let mut socket = Socket::bind(&path).unwrap();
        let trusted = async |socket: &Socket| {
            let (_client, accepted) = tokio::join!(UnixStream::connect(&path), socket.accept());
            accepted.unwrap().1 == (Peer::Unix { trusted: true })
        };
        assert!(trusted(&socket).await);
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        socket.file.user += 1;
        // Tests may run as root, who is always trusted.
        let root = fs::metadata("/proc/self").unwrap().uid() == 0;
        assert_eq!(trusted(&socket).await, root);
    }
}
