//! Breaks a release on purpose: tests change single lines and rename or drop members, and see
//! that kiln refuses what comes out.

use std::io::{self, Write};

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The source's name, such as `plan_information`.
    pub source: &'static str,
    /// The part of the pharmacy network, from 1; 1 for all other sources.
    pub part: u32,
    /// The line in its file, from 1; line 1 is the header.
    pub line: u64,
}

type LineChange<'a> = Box<dyn FnMut(At, &mut Vec<u8>) + 'a>;
type MemberChange<'a> = Box<dyn FnMut(&str) -> Option<String> + 'a>;

/// What to break. The default breaks nothing and costs nothing.
///
/// ```
/// use kiln_synth::{Release, Tamper};
/// let tamper = Tamper::default().lines(|at, line| {
///     if at.source == "pricing" && at.line == 3 {
///         line.extend_from_slice(b"|one field too many");
///     }
/// });
/// let mut zip = std::io::Cursor::new(Vec::new());
/// Release::small(1).write_with(&mut zip, tamper).unwrap();
/// ```
#[derive(Default)]
pub struct Tamper<'a> {
    line: Option<LineChange<'a>>,
    member: Option<MemberChange<'a>>,
}

impl<'a> Tamper<'a> {
    /// Calls `change` with every line, without its CRLF. It may put any bytes there, CRLF among
    /// them, which makes two lines of one.
    #[must_use]
    pub fn lines(mut self, change: impl FnMut(At, &mut Vec<u8>) + 'a) -> Self {
        self.line = Some(Box::new(change));
        self
    }

    /// Calls `change` with the name of every member, zips and texts alike; what it returns is
    /// the name that is written, and `None` leaves the member out.
    #[must_use]
    pub fn members(mut self, change: impl FnMut(&str) -> Option<String> + 'a) -> Self {
        self.member = Some(Box::new(change));
        self
    }

    pub(super) fn member(&mut self, name: &str) -> Option<String> {
        match &mut self.member {
            Some(change) => change(name),
            None => Some(name.to_owned()),
        }
    }

    /// A writer that hands each line to the change, if there is one, and then on to `out`.
    pub(super) fn on<'t, W: Write>(&'t mut self, out: W, at: At) -> Lines<'t, 'a, W> {
        Lines { out, at, change: self.line.as_mut(), line: Vec::new() }
    }
}

/// Cuts what is written through it into lines.
pub(super) struct Lines<'t, 'a, W> {
    out: W,
    at: At,
    change: Option<&'t mut LineChange<'a>>,
    line: Vec<u8>,
}

impl<W: Write> Write for Lines<'_, '_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(change) = &mut self.change else { return self.out.write(bytes) };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.ends_with(b"\r\n") {
                self.line.truncate(self.line.len() - 2);
                change(self.at, &mut self.line);
                self.at.line += 1;
                self.line.extend_from_slice(b"\r\n");
                self.out.write_all(&self.line)?;
                self.line.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
