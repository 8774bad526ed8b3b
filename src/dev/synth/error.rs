//! What keeps files from being generated: numbers that do not fit, or a writer that refuses.

use std::io;

/// Why nothing was generated, or not all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scale of a plan is out of range.
    #[error("generate: scale must be above 0 and at most 1, not {0}")]
    Scale(f64),
    /// A plan has more nights than there are days to post them on.
    #[error("generate: night must be at most 3650, not {0}")]
    Night(u32),
    /// The sizes of a release are out of range, or do not fit together.
    #[error("generate release: {0}")]
    Sizes(String),
    /// What is written to has refused.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// The writer's error, with what was being done.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
struct While {
    doing: String,
    #[source]
    cause: io::Error,
}

/// Says what was being done when the writer refused; the error's kind stays.
pub(crate) fn doing<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> io::Error {
    move |cause| {
        let cause = cause.into();
        io::Error::new(cause.kind(), While { doing: what.into(), cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn what_was_being_done_hides_neither_kind_nor_cause() {
        let error = doing("member x")(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(
            (error.to_string().as_str(), error.kind()),
            ("member x", io::ErrorKind::BrokenPipe)
        );
        assert!(error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>));
    }
}
