//! Words of a command that a hint proposes, as a shell takes them.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// A word of a command line: quoted where a shell would read it as anything but itself.
pub(crate) fn word<T: AsRef<str> + ?Sized>(text: &T) -> Cow<'_, str> {
    let text = text.as_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("'{}'", text.replace('\'', "'\\''"))),
    }
}

/// A path as a word of a command line. One that begins like an option is said from here.
pub(crate) fn path(path: &Path) -> impl fmt::Display {
    let text = path.to_string_lossy();
    match text.starts_with('-') {
        true => word(&format!("./{text}")).into_owned(),
        false => word(&text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_through_a_shell_as_it_is() {
        for text in
            ["plain", "a b", "it's", "$(date)", "", "*", "~", "a\\b", "ä", "a;b", "\"", "a\nb"]
        {
            let script = format!("printf %s {}", word(text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output();
            let said = output.expect("there is a shell").stdout;
            assert_eq!(String::from_utf8(said).expect("text"), text);
        }
        assert_eq!(word("SPUF_2026.zip"), "SPUF_2026.zip");
        assert_eq!(path(Path::new("-x y")).to_string(), "'./-x y'");
    }
}
