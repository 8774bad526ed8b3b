//! Whether what a store answers with is the object that was pinned.

use aws_sdk_s3::operation::get_object::GetObjectOutput;

use crate::error::{Exit, Failure};
use crate::fetch::store::Pin;

/// What to do about an object that was landed again since it was pinned: a night pins what is there, a
/// build that is gone on with takes it in by hand.
pub(super) const ANOTHER: &str = "run again: a new build pins the new object; a build that is to go on takes it \
     in with kiln load DATABASE SOURCE --into BUILD";

/// A store that heeds no condition would give another object's bytes in the middle of this one's:
/// what it says that it gives must be what was pinned.
pub(super) fn refuse_another(pin: &Pin, answer: &GetObjectOutput) -> anyhow::Result<()> {
    let Pin { etag, version_id, .. } = pin;
    let found = answer.e_tag().unwrap_or_default();
    let version = answer.version_id().filter(|id| *id != "null");
    let same_version = match (version_id.as_deref(), version) {
        (Some(pinned), Some(found)) => pinned == found,
        _ => true,
    };
    if bare(found) == bare(etag) && same_version {
        return Ok(());
    }
    let (expected, found) = match same_version {
        true => (etag.as_str(), found),
        false => (version_id.as_deref().unwrap_or_default(), version.unwrap_or_default()),
    };
    let url = pin.url();
    let message = format!(
        "read {url}: the object is not the pinned one any more: expected {expected}, found {}",
        if found.is_empty() { "no entity tag" } else { found }
    );
    Err(Failure::new(Exit::InputUnavailable, message).hint(ANOTHER).into())
}

/// An entity tag without its quotes and its mark of weakness, which gateways add and take away.
fn bare(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> Pin {
        Pin {
            bucket: "b".into(),
            key: "k".into(),
            version_id: Some("v1".into()),
            etag: "\"e\"".into(),
            size: 1,
            modified: String::new(),
            sha256: None,
            sha256_by_store: false,
        }
    }

    fn refused(etag: Option<&str>, version: Option<&str>) -> String {
        let answer = GetObjectOutput::builder()
            .set_e_tag(etag.map(str::to_owned))
            .set_version_id(version.map(str::to_owned));
        refuse_another(&pin(), &answer.build()).err().map_or(String::new(), |e| e.to_string())
    }

    #[test]
    fn only_the_pinned_object_passes() {
        assert_eq!(refused(Some("\"e\""), Some("v1")), "");
        assert_eq!(refused(Some("W/\"e\""), None), "");
        assert!(refused(Some("\"f\""), Some("v1")).contains("expected \"e\", found \"f\""));
        assert!(refused(Some("\"e\""), Some("v2")).contains("expected v1, found v2"));
        assert!(refused(None, None).contains("found no entity tag"));
    }
}
