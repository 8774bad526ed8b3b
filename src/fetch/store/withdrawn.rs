//! Objects that were withdrawn: they stay, for a manifest may have pinned them, and an empty-handed
//! resume helps nobody; a marker beside each, named for it and its entity tag, keeps later plans from
//! reading it. Another object under the same key is another matter, and is read.

use aws_sdk_s3::primitives::ByteStream;

use super::{ListedObject, Pin, Store, file_name, refused};

/// What stands between an object's key and its entity tag in the key of its marker.
const MARK: &str = ".withdrawn-";

/// Takes a listing apart: what plans may read, and what was withdrawn. Markers are in neither.
pub(crate) fn apart(listed: Vec<ListedObject>) -> (Vec<ListedObject>, Vec<ListedObject>) {
    let (markers, objects): (Vec<ListedObject>, Vec<ListedObject>) =
        listed.into_iter().partition(|object| file_name(&object.key).contains(MARK));
    let marked = |object: &ListedObject| {
        let marker = object.withdrawal();
        markers.iter().any(|found| found.key == marker)
    };
    let (withdrawn, standing) = objects.into_iter().partition(marked);
    (standing, withdrawn)
}

impl ListedObject {
    /// Whether it is the object of this pin, at this version of its content.
    pub fn is(&self, pin: &Pin) -> bool {
        self.key == pin.key && self.etag.trim_matches('"') == pin.etag.trim_matches('"')
    }

    /// The key of the marker that withdraws it.
    pub fn withdrawal(&self) -> String {
        let tag = self.etag.trim_matches('"');
        let tag: String =
            tag.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        format!("{}{MARK}{tag}", self.key)
    }
}

impl Store {
    /// What stands under this very key now.
    ///
    /// # Errors
    /// [`crate::error::Exit::InputUnavailable`] when the store cannot be asked.
    pub async fn existing(&self, key: &str) -> anyhow::Result<Option<ListedObject>> {
        Ok(self.list(key).await?.into_iter().find(|object| object.key == key))
    }

    /// Withdraws an object; `account` says who and why, for whoever finds the marker.
    ///
    /// # Errors
    /// [`crate::error::Exit::InputUnavailable`] when the store refuses.
    pub async fn withdraw(&self, object: &ListedObject, account: String) -> anyhow::Result<()> {
        let (bucket, key) = (&self.location.bucket, object.withdrawal());
        let put = self.client.put_object().bucket(bucket).key(&key);
        let put = put.body(ByteStream::from(account.into_bytes())).send().await;
        put.map(drop).map_err(|error| refused(&format!("upload s3://{bucket}/{key}"), &error))
    }

    /// Takes a withdrawal back, of an object that has landed again as it was.
    ///
    /// # Errors
    /// [`crate::error::Exit::InputUnavailable`] when the store refuses.
    pub async fn reinstate(&self, object: &ListedObject) -> anyhow::Result<()> {
        let (bucket, key) = (&self.location.bucket, object.withdrawal());
        if self.existing(&key).await?.is_none() {
            return Ok(());
        }
        let delete = self.client.delete_object().bucket(bucket).key(&key).send().await;
        let doing = format!("delete s3://{bucket}/{key}, which withdraws what has landed now");
        delete.map(drop).map_err(|error| refused(&doing, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(key: &str, etag: &str) -> ListedObject {
        ListedObject { key: key.into(), size: 1, modified: 0, etag: etag.into() }
    }

    #[test]
    fn a_marker_withdraws_one_object_as_it_was() {
        let bad = listed("d/2026-07-02/a.csv", "\"ab-2\"");
        assert_eq!(bad.withdrawal(), "d/2026-07-02/a.csv.withdrawn-ab-2");
        let all = vec![
            bad.clone(),
            listed(&bad.withdrawal(), "\"m\""),
            listed("d/2026-07-01/a.csv", "\"ab-2\""),
            listed("d/2026-07-02/a.csv2", "\"ab-2\""),
        ];
        let keys = |all: &[ListedObject]| all.iter().map(|o| o.key.clone()).collect::<Vec<_>>();
        let (standing, withdrawn) = apart(all);
        assert_eq!(keys(&standing), ["d/2026-07-01/a.csv", "d/2026-07-02/a.csv2"]);
        assert_eq!(keys(&withdrawn), ["d/2026-07-02/a.csv"]);
        let replaced = vec![listed("d/2026-07-02/a.csv", "\"cd\""), listed(&bad.withdrawal(), "m")];
        let (standing, withdrawn) = apart(replaced);
        assert_eq!((standing.len(), withdrawn.len()), (1, 0));
    }
}
