//! Reading JSON as the image-spec wants it: an object, bounded, and without duplicate names (RFC 7493).

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::RawManifest;
use crate::error::{Error, ErrorKind, Result, excerpt};

/// Checks that these bytes are one JSON object of allowed size in which no name occurs twice, at any depth: parsers
/// differ in which of the two they take, so that one document would mean two things.
pub(super) fn check_object(bytes: &[u8]) -> Result<()> {
    if bytes.len() as u64 > RawManifest::MAX_SIZE {
        return Err(Error::new(
            ErrorKind::InvalidManifest,
            format!(
                "it has {} bytes; registries take at most {} (4 MiB)",
                bytes.len(),
                RawManifest::MAX_SIZE
            ),
        ));
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::new(ErrorKind::InvalidManifest, "it is not a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    UniqueNames.deserialize(&mut deserializer).and_then(|()| deserializer.end()).map_err(malformed)
}

/// Reads a value out of bytes that [`check_object`] has passed.
pub(super) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(malformed)
}

/// Writes compact JSON: the same bytes for the same value, every time.
pub(super) fn write(media_type: &str, value: &impl Serialize) -> Result<RawManifest> {
    let bytes = serde_json::to_vec(value).map_err(malformed)?;
    Ok(RawManifest::new(media_type, bytes))
}

/// A member that is `null` counts as one that is absent: some writers put `null` for an empty list.
pub(super) fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn malformed(error: serde_json::Error) -> Error {
    // The message may quote a value of any length.
    const MOST: usize = 300;
    let what = if error.is_data() { "it is malformed" } else { "it is not JSON" };
    let reason: String = error.to_string().chars().take(MOST).collect();
    Error::new(ErrorKind::InvalidManifest, format!("{what}: {reason}"))
}

/// Goes through any value and keeps nothing of it.
#[derive(Clone, Copy)]
struct UniqueNames;

impl<'de> DeserializeSeed<'de> for UniqueNames {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueNames {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!("the name {} occurs twice", excerpt(&name))));
            }
            names.insert(name);
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}
