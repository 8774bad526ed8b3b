//! What a manifest's sources want of a forecast.

use super::{SourceSize, StorageKind};
use crate::catalog::manifest::Manifest;
use crate::spec::source::{Others, Source};

/// Gathers it; how much text there is, is not known yet.
pub(crate) fn source_sizes(sources: &[Source], manifest: &Manifest) -> Vec<SourceSize> {
    let size = |source: &Source| {
        let input = manifest.sources.get(source.name.as_str())?;
        let kind = match source.others {
            _ if source.pack.is_some() => StorageKind::Packed,
            _ if !source.dictionaries.is_empty() => StorageKind::Dictionary,
            Others::Drop => StorageKind::Part,
            Others::Refuse | Others::Gather { .. } => StorageKind::Typed,
        };
        Some(SourceSize {
            source: source.name.as_str().to_owned(),
            kind,
            objects: input.objects.iter().map(|pin| (pin.key.clone(), pin.size)).collect(),
            zipped: source.member.is_some(),
            nested: source.archive.is_some(),
            text: None,
        })
    };
    sources.iter().filter_map(size).collect()
}
