//! One value: nulls, words, transforms, decoding, its type.

use std::borrow::Cow;

use super::{FieldRefusal, Validator};
use crate::load::bind::{Feed, Target};
use crate::load::decode::{Record, decode_text};
use crate::load::encode::{self, ColumnType};
use crate::spec::source::{Encoding, From, trim};

impl Validator<'_> {
    /// One table column from one of the spec's.
    pub(super) fn encode(
        &self,
        record: &Record<'_>,
        target: &Target,
        column: usize,
        rows: &mut Vec<u8>,
    ) -> Result<(), FieldRefusal> {
        let spec = &self.binding.source.columns[column];
        let field = self.layout.fields[column];
        let line;
        let (text, encoding) = match &spec.from {
            From::Header(_) => {
                (field.map(|index| record.field(index).unwrap_or_default()), self.encoding)
            }
            From::Line => {
                line = record.position.line.to_string();
                (Some(line.as_bytes()), Encoding::Ascii)
            }
            From::Group(group) => (self.known.get(group).map(String::as_bytes), Encoding::Utf8),
        };
        let outcome = match text {
            Some(text) => self.encode_field(rows, text, target, encoding),
            None if target.not_null => Err((0, "is missing in this vintage and may not be null")),
            None => {
                encode::null(rows);
                Ok(())
            }
        };
        outcome.map_err(|(offset, reason)| {
            let byte = field.map_or(record.position.byte, |index| record.byte_of(index, offset));
            (Some(spec.name().to_owned()), byte, reason.to_owned())
        })
    }

    /// One field into its column; on failure the offset within the field, and the reason.
    fn encode_field<'t>(
        &self,
        rows: &mut Vec<u8>,
        field: &[u8],
        target: &'t Target,
        encoding: Encoding,
    ) -> Result<(), (u64, &'t str)> {
        let is_split = matches!(target.feed, Feed::Number(_) | Feed::Words(_));
        let is_null =
            |field: &[u8]| means_null(&target.nulls, field) || is_split && trim(field).is_empty();
        let has_digit = || field.iter().any(u8::is_ascii_digit);
        let elsewhere = match target.feed {
            Feed::Number(_) => !has_digit(),
            Feed::Words(_) => has_digit(),
            _ => false,
        };
        if is_null(field) || elsewhere {
            if target.not_null {
                return Err((0, "is null, and its column may not be"));
            }
            encode::null(rows);
            return Ok(());
        }
        let mut value = Cow::Borrowed(field);
        if matches!(target.feed, Feed::Number(_) | Feed::Words(_) | Feed::Hash(_)) {
            value = Cow::Borrowed(trim(field));
        }
        for transform in &target.transforms {
            match transform.apply(value) {
                Ok(done) => value = done,
                Err(reason) => return self.misfit(rows, target, reason),
            }
        }
        if let Some(shape) = &target.shape {
            if value.is_empty() && !target.not_null {
                encode::null(rows);
                return Ok(());
            }
            if !shape.fits(&value) {
                refuse_odd_bytes(&value, target, encoding)
                    .map_err(|(offset, reason)| (in_field(field, &value, offset), reason))?;
                return self.misfit(rows, target, shape.reason());
            }
        }
        if let Feed::Hash(_) = target.feed {
            return self.hash(rows, &value).map_err(|reason| (0, reason));
        }
        match target.kind {
            ColumnType::Text { max } => {
                let text = decode_text(&value, encoding)
                    .map_err(|offset| (in_field(field, &value, offset), undecodable(encoding)))?;
                encode::text(rows, &text, max).map_err(|reason| (0, reason))
            }
            kind => encode::value(rows, &value, kind).map_err(|reason| (0, reason)),
        }
    }

    /// What becomes of a content that is not of its column's form.
    #[cold]
    fn misfit<'t>(
        &self,
        rows: &mut Vec<u8>,
        target: &Target,
        reason: &'t str,
    ) -> Result<(), (u64, &'t str)> {
        if !target.misfit_is_null {
            return Err((0, reason));
        }
        self.misfits.set(self.misfits.get() + 1);
        encode::null(rows);
        Ok(())
    }

    fn hash(&self, rows: &mut Vec<u8>, identifier: &[u8]) -> Result<(), &'static str> {
        let key = self.binding.hash_key.as_ref().ok_or("cannot be hashed without a key")?;
        if identifier.is_empty() {
            return Err("is blank, and stands for nobody");
        }
        encode::uuid(rows, &key.hash(identifier));
        Ok(())
    }

    /// All columns that the spec does not name, those that are null left out.
    pub(super) fn gather(
        &self,
        record: &Record<'_>,
        target: &Target,
        rows: &mut Vec<u8>,
    ) -> Result<(), FieldRefusal> {
        let is_null = |field: &[u8]| means_null(&target.nulls, field);
        let mut object = encode::JsonObject::begin(rows);
        for (index, name) in &self.layout.others {
            let field = record.field(*index).unwrap_or_default();
            let refused = |(offset, reason): (u64, &str)| {
                let byte = record.byte_of(*index, offset);
                (Some(name.clone()), byte, reason.to_owned())
            };
            if is_null(field) {
                continue;
            }
            let mut value = Cow::Borrowed(field);
            for transform in &target.transforms {
                value = transform.apply(value).map_err(|reason| refused((0, reason)))?;
            }
            if is_null(&value) {
                continue;
            }
            let text = decode_text(&value, self.encoding).map_err(|offset| {
                refused((in_field(field, &value, offset), undecodable(self.encoding)))
            })?;
            object.put(name, &text).map_err(|reason| refused((0, reason)))?;
        }
        object.end();
        Ok(())
    }
}

/// The offset in a field of what is at `offset` in the value that transforms made of it: one that is
/// cut out of the field knows its place; one that was rewritten begins where the field does.
#[cold]
fn in_field(field: &[u8], value: &[u8], offset: usize) -> u64 {
    let cut = (value.as_ptr() as usize).checked_sub(field.as_ptr() as usize);
    match cut.filter(|cut| cut + value.len() <= field.len()) {
        Some(cut) => (cut + offset) as u64,
        None => 0,
    }
}

/// What is wrong with bytes says more than that they are no code.
#[cold]
fn refuse_odd_bytes(
    value: &[u8],
    target: &Target,
    encoding: Encoding,
) -> Result<(), (usize, &'static str)> {
    if target.misfit_is_null || !target.kind.is_text() {
        return Ok(());
    }
    let text = decode_text(value, encoding).map_err(|offset| (offset, undecodable(encoding)))?;
    encode::text(&mut Vec::new(), &text, None).map_err(|reason| (0, reason))
}

/// Whether a field is one of those that mean null. Two empty ones are not compared: by perf, memcmp
/// had most of a wide row's time. 40,000 rows of 840 columns took 3.2 s before, and 0.4–0.6 s since.
fn means_null(nulls: &[Vec<u8>], field: &[u8]) -> bool {
    nulls.iter().any(|null| null.len() == field.len() && (field.is_empty() || null == field))
}

fn undecodable(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Ascii => "holds a byte that is not ASCII",
        Encoding::Utf8 => "holds a byte that is not UTF-8",
        Encoding::Windows1252 => "holds a byte that is no windows-1252 character",
        Encoding::Utf8OrWindows1252 => "holds a byte that is neither UTF-8 nor windows-1252",
    }
}

#[cfg(test)]
mod tests {
    use super::in_field;

    #[test]
    fn a_byte_is_placed_in_the_field_that_it_was_cut_from() {
        let field = b"  a\xffb ".as_slice();
        assert_eq!(in_field(field, &field[2..5], 1), 3);
        assert_eq!(in_field(field, field, 3), 3);
        let anew = field.to_ascii_uppercase();
        assert_eq!(in_field(field, &anew, 3), 0, "not a part of the field");
    }
}
