//! The parts that responses have in common: objects, strings, and pages of a list.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::pylon::failure::{FailureCause, WrongShape};
use crate::pylon::request::Page;

/// A value that must be a JSON object. A derived struct alone would also accept an array and match its elements by position.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMap<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(OfMap(PhantomData))
    }
}

#[derive(Deserialize)]
pub(super) struct Data<T> {
    pub(super) data: Object<T>,
}

/// A page of results, with `data` as a list of objects. If there are no results, `data` may also be missing or `null`, as seen in
/// the live service.
#[derive(Deserialize)]
struct Many<T> {
    data: Option<Vec<Object<T>>>,
    /// A 2xx response with `errors` must not be mistaken for an empty result.
    errors: Option<IgnoredAny>,
    pagination: Option<Object<WirePagination>>,
}

#[derive(Deserialize)]
struct WirePagination {
    cursor: Option<String>,
    has_next_page: Option<bool>,
}

/// A field that can be missing (`None`) or `null` (`Some(None)`). `null` means empty, but a missing field does not.
pub(super) type MaybeNull<T> = Option<Option<T>>;

pub(super) fn maybe_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<MaybeNull<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A map of strings that rejects duplicate keys, whereas a plain map would use the last value.
pub(super) struct Texts(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfTexts;

        impl<'de> Visitor<'de> for OfTexts {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((key, text)) = map.next_entry::<String, String>()? {
                    if texts.insert(key, text).is_some() {
                        return Err(A::Error::custom("duplicate key"));
                    }
                }
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_map(OfTexts)
    }
}

/// Parses a page of objects.
pub(super) fn list<'de, T: Deserialize<'de>>(
    body: &'de [u8],
    expected: &'static str,
) -> Result<Page<Vec<T>>, FailureCause> {
    let wrong = |why| WrongShape::cause(expected, why);
    let Many { data, errors, pagination } = parse(body).map_err(wrong)?;
    if errors.is_some() {
        return Err(wrong("it has `errors`".into()));
    }
    let next = next_page(pagination).map_err(wrong)?;
    let data: Vec<T> = data.unwrap_or_default().into_iter().map(|Object(entry)| entry).collect();
    // The live service occasionally returns a page that has no data but claims to be followed by another page.
    if data.is_empty() && next.is_some() {
        return Err(FailureCause::PageWithoutData);
    }
    Ok(Page { data, next })
}

pub(super) fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, String> {
    // Validating the whole body as UTF-8 once is faster than validating each string. If the body is invalid, serde_json reports
    // the position.
    let parsed = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str::<Object<T>>(text),
        Err(_) => serde_json::from_slice(body),
    };
    parsed.map(|object| object.0).map_err(|error| error.to_string())
}

/// Returns the cursor of the next page. On the last page, `pagination` or its cursor is missing or empty, depending on the API
/// version. It's an error if a page says that another one follows but has no cursor.
fn next_page(pagination: Option<Object<WirePagination>>) -> Result<Option<String>, String> {
    let Some(Object(WirePagination { cursor, has_next_page })) = pagination else {
        return Ok(None);
    };
    match (cursor.filter(|cursor| !cursor.is_empty()), has_next_page) {
        (_, Some(false)) | (None, None) => Ok(None),
        (Some(cursor), _) => Ok(Some(cursor)),
        (None, Some(true)) => Err("it says that another page follows, without a cursor for it".into()),
    }
}
