//! Where the private cluster lies, who owns it, and how it is made.
//!
//! Postgres refuses to run as root, so root hands the cluster to another user; and that user must
//! reach it, which below a home directory of mode 0700 it cannot.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid, User};
use sha2::{Digest as _, Sha256};

use super::programs::Programs;
use crate::error::{Doing as _, Error, Kind, Result};

/// The cluster's superuser and only role at first.
pub(super) const SUPERUSER: &str = "kiln";

/// The user that Postgres runs as when this process is root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    uid: Uid,
    gid: Gid,
}

/// A private cluster's places.
#[derive(Debug)]
pub(super) struct Cluster {
    /// The data directory, which need not exist yet.
    pub data: PathBuf,
    /// The directory of the socket: short, since a socket's path may have 107 bytes.
    pub socket_dir: PathBuf,
    /// `None`: runs as the user of this process.
    pub owner: Option<Owner>,
}

impl Cluster {
    /// Decides where the cluster of `home` (canonical) lies and who owns it; makes the directory
    /// above it.
    ///
    /// # Errors
    /// When the places cannot be made or belong to somebody else.
    pub(super) fn locate(home: &Path) -> Result<Cluster> {
        let socket_dir = PathBuf::from(format!("/tmp/kiln-{}", short_hash(home)));
        let link = home.join("postgres");
        let outside = PathBuf::from(format!("/var/tmp/kiln-{}", short_hash(home)));
        let linked = link.read_link().ok();
        let inside = linked.is_none() && link.is_dir();
        let target = outside.join("postgres");
        let owner = owner_of(if inside { &link } else { &target })?;
        let data = if inside || owner.is_none_or(|owner| owner.reaches(home)) && linked.is_none() {
            link
        } else {
            own_directory(&outside, 0o711, None)?;
            point(&link, linked.as_deref(), &target)?;
            target
        };
        Ok(Cluster { data, socket_dir, owner })
    }

    /// The data directory as it is now, deciding nothing.
    pub(super) fn locate_existing(home: &Path) -> PathBuf {
        let link = home.join("postgres");
        link.canonicalize().unwrap_or(link)
    }

    /// The major version that the cluster was made with, `None` before it is made.
    ///
    /// # Errors
    /// When the data directory belongs to another user.
    pub(super) fn version(&self) -> Result<Option<String>> {
        let path = self.data.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(Some(version.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let message = format!("cannot read the private cluster in {}", self.data.display());
                Err(Error::new(Kind::Foreign, message).because(error))
            }
        }
    }

    /// Makes the cluster, unless it exists. An interrupted attempt leaves nothing that counts:
    /// the data directory appears by a rename.
    ///
    /// # Errors
    /// [`Kind::Postgres`] with what `initdb` said.
    pub(super) fn init(&self, programs: &Programs) -> Result<()> {
        if self.data.join("PG_VERSION").exists() {
            return Ok(());
        }
        let fresh = self.data.with_extension("init");
        remove(&fresh)?;
        own_directory(&fresh, 0o700, self.owner)?;
        let output = self
            .command(&programs.initdb)
            .args(["--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"])
            .args(["-U", SUPERUSER, "-D"])
            .arg(&fresh)
            .output()
            .map_err(|error| {
                let message = format!("cannot run {}", programs.initdb.display());
                Error::new(Kind::Postgres(None), message).because(error)
            })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let message = format!(
                "initdb of {} failed: {}",
                self.data.display(),
                said.trim().replace('\n', "; ")
            );
            return Err(Error::new(Kind::Postgres(None), message));
        }
        // Only an empty directory, or one that was never a cluster, can be in the way.
        remove(&self.data)?;
        fs::rename(&fresh, &self.data)
            .doing_with(|| format!("rename {} to {}", fresh.display(), self.data.display()))
    }

    /// A command that runs as the cluster's owner, in an environment of its own: the caller's Postgres
    /// settings and libraries would disturb it, and its secrets would lie open in the process list of
    /// a server that stays up.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = clean(program);
        command.current_dir("/");
        if let Some(owner) = self.owner {
            command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
        }
        command
    }

    /// Makes the socket's directory, which only the owner (and root) may enter.
    ///
    /// # Errors
    /// When something else lies at its place.
    pub(super) fn make_socket_dir(&self) -> Result<()> {
        own_directory(&self.socket_dir, 0o700, self.owner)
    }

    /// Gives a file to the cluster's owner.
    ///
    /// # Errors
    /// When the file cannot be given away.
    pub(super) fn give(&self, path: &Path) -> Result<()> {
        give(path, self.owner)
    }
}

impl Owner {
    /// Whether this user can walk down to `directory` (canonical).
    fn reaches(self, directory: &Path) -> bool {
        directory.ancestors().all(|ancestor| {
            let Ok(metadata) = ancestor.metadata() else { return false };
            let bit = if metadata.uid() == self.uid.as_raw() {
                0o100
            } else if metadata.gid() == self.gid.as_raw() {
                0o010
            } else {
                0o001
            };
            metadata.mode() & bit != 0
        })
    }
}

/// A program of Postgres's with no more environment than it needs.
pub(super) fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
    command
}

/// Who runs Postgres: whoever owns the cluster already, else `postgres`, else `nobody`.
fn owner_of(data: &Path) -> Result<Option<Owner>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    if let Ok(metadata) = data.metadata()
        && metadata.uid() != 0
    {
        let (uid, gid) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
        return Ok(Some(Owner { uid, gid }));
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name).doing_with(|| format!("look up user {name}"))? {
            return Ok(Some(Owner { uid: user.uid, gid: user.gid }));
        }
    }
    Err(Error::new(Kind::NoUser, "Postgres does not run as root, and there is no user for it"))
}

/// Makes `directory` with this mode and owner, or accepts it if it is so already: in a place that
/// everybody may write to, somebody else's directory must not be used.
fn own_directory(directory: &Path, mode: u32, owner: Option<Owner>) -> Result<()> {
    match fs::DirBuilder::new().mode(mode).create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(error).doing_with(|| format!("make {}", directory.display()));
        }
        _ => {}
    }
    let metadata =
        directory.symlink_metadata().doing_with(|| format!("{}", directory.display()))?;
    let ours = [Some(Uid::effective()), owner.map(|owner| owner.uid)];
    if !metadata.is_dir() || !ours.contains(&Some(Uid::from_raw(metadata.uid()))) {
        let message = format!("{} is not a directory of this user", directory.display());
        return Err(Error::new(Kind::PlaceTaken, message));
    }
    give(directory, owner)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(mode))
        .doing_with(|| format!("set the mode of {}", directory.display()))
}

fn give(path: &Path, owner: Option<Owner>) -> Result<()> {
    let Some(owner) = owner else { return Ok(()) };
    std::os::unix::fs::lchown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))
        .doing_with(|| format!("give {} to user {}", path.display(), owner.uid))
}

/// Makes `link` point to `target`. A link that came with a copied home points elsewhere and is
/// replaced: two homes never share a cluster.
fn point(link: &Path, now: Option<&Path>, target: &Path) -> Result<()> {
    if now == Some(target) {
        return Ok(());
    }
    if now.is_some() {
        fs::remove_file(link).doing_with(|| format!("remove {}", link.display()))?;
    }
    symlink(target, link).doing_with(|| format!("link {} to {}", link.display(), target.display()))
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).doing_with(|| format!("remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
