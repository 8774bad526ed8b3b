//! Comments with their names as links.

use maud::{Markup, html};

use super::link::{CommentPiece, Names};

/// A comment with its names linked, and the mark at its end, `[file]`, set apart.
pub(crate) fn linked(comment: &str, names: &Names) -> Markup {
    let marked = comment.strip_suffix(']').and_then(|rest| rest.rsplit_once(" ["));
    let (words, mark) = marked.map_or((comment, None), |(words, mark)| (words, Some(mark)));
    html! {
        @for piece in names.pieces(words) {
            @match piece {
                CommentPiece::Text(text) => (text),
                CommentPiece::Link(text, anchor) => a href={ "#" (anchor) } { (text) },
            }
        }
        @if let Some(mark) = mark { span.mark { " [" (mark) "]" } }
    }
}
