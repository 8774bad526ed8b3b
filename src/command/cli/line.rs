//! Texts that are shown again later, in a terminal or a log: of one line, without what a terminal
//! would take for an order.

/// Longest; an app's name is at most a sentence.
const CHARACTERS_MAX: usize = 500;

/// Reads an app's name, without the blanks around it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn one_line(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text {
        _ if text.is_empty() => Err("it is blank".to_owned()),
        _ if text.contains(char::is_control) => {
            Err("it holds a line end or another control character".to_owned())
        }
        _ if text.chars().count() > CHARACTERS_MAX => {
            Err(format!("it is longer than {CHARACTERS_MAX} characters"))
        }
        _ => Ok(text.to_owned()),
    }
}
