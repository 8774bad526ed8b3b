//! Standard output for people and scripts. `println!` panics when the reader has gone, and `kiln
//! status | head` is no bug: here what nobody reads any more is dropped, and the command ends as it
//! would have.

use std::io::Write as _;

/// Prints a line, as `println!` does.
macro_rules! say {
    () => { $crate::say::line(format_args!("")) };
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}

/// Writes one line to standard output.
pub fn line(text: std::fmt::Arguments<'_>) {
    // Whatever else is wrong with it, there is no other place to say so.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
