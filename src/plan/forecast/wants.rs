//! What a manifest's sources want of a forecast.

use super::{Kind, Want};
use crate::catalog::manifest::Manifest;
use crate::spec::source::{Others, Source};

/// Gathers it; how much text there is, is not known yet.
pub(crate) fn wants(sources: &[Source], manifest: &Manifest) -> Vec<Want> {
    let want = |source: &Source| {
        let input = manifest.sources.get(source.name.as_str())?;
        let kind = match source.others {
            _ if source.pack.is_some() => Kind::Packed,
            _ if !source.dictionaries.is_empty() => Kind::Dictionary,
            Others::Drop => Kind::Part,
            Others::Refuse | Others::Gather { .. } => Kind::Typed,
        };
        Some(Want {
            source: source.name.as_str().to_owned(),
            kind,
            objects: input.objects.iter().map(|pin| (pin.key.clone(), pin.size)).collect(),
            zipped: source.member.is_some(),
            nested: source.archive.is_some(),
            text: None,
        })
    };
    sources.iter().filter_map(want).collect()
}
