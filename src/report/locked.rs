//! What `kiln schema lock` locked, and whom the new version serves.

use crate::spec::schema::SchemaLock;

/// A schema that was locked.
#[derive(Debug)]
pub(crate) struct Locked {
    /// The lock as it is now.
    pub lock: SchemaLock,
    /// Whether it was so before.
    pub unchanged: bool,
    /// Lines of the catalog that are gone, or new.
    pub difference: Vec<String>,
    /// What readers of the version before would miss.
    pub lost: Vec<String>,
    /// Functions with another body, whose answers may mean something else.
    pub rewritten: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The outcome of `kiln schema lock`.
pub(crate) fn locked(database: &str, said: &Locked) {
    let SchemaLock { version, serves_from, .. } = said.lock;
    if said.unchanged {
        say!("{database}: version {version}, unchanged");
        return;
    }
    let verb = if said.dry_run { "would be locked" } else { "is locked" };
    say!("{database}: {verb} as version {version}");
    for line in &said.difference {
        say!("  {line}");
    }
    match said.lost.as_slice() {
        [] if serves_from < version => {
            say!(
                "apps that accept version {serves_from} or later need not be asked: all of this is added"
            );
        }
        [] => {}
        lost => {
            say!(
                "apps must accept version {version}, for readers of the version before would miss:"
            );
            lost.iter().for_each(|lost| say!("  {lost}"));
        }
    }
    if !said.rewritten.is_empty() {
        say!(
            "changed inside: {}; where answers mean something else than before, say so in the \
             comment, with [meaning 2], and lock again",
            said.rewritten.join(", ")
        );
    }
}
