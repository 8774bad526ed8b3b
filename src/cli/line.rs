//! Texts that are shown again later, in a terminal or a log: of one line, without what a terminal
//! would take for an order.

/// Longest; an app's name and a reason are a sentence.
const CHARACTERS_MAX: usize = 500;

/// Reads an app's name, or a reason.
///
/// # Errors
/// What is wrong with it.
pub(super) fn one_line(text: &str) -> Result<String, String> {
    match text {
        _ if text.trim().is_empty() => Err("it is blank".to_owned()),
        _ if text.contains(char::is_control) => {
            Err("it holds a line end or another control character".to_owned())
        }
        _ if text.chars().count() > CHARACTERS_MAX => {
            Err(format!("it is longer than {CHARACTERS_MAX} characters"))
        }
        _ => Ok(text.to_owned()),
    }
}
