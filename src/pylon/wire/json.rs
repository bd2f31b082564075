//! The parts that responses have in common: objects, strings, and pages of a list.

use std::borrow::Cow;
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
struct Many<List> {
    data: Option<List>,
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

/// A string that is copied from the body only if it contains escapes. (`Option<Cow<str>>` always copies.)
#[derive(Default)]
pub(super) struct BorrowedText<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for BorrowedText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;

        impl<'de> Visitor<'de> for OfText {
            type Value = BorrowedText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(BorrowedText(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(BorrowedText(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(OfText)
    }
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
    let (data, next) = many::<Vec<Object<T>>>(body).map_err(|why| WrongShape::cause(expected, why))?;
    let data: Vec<T> = data.unwrap_or_default().into_iter().map(|Object(entry)| entry).collect();
    with_data(!data.is_empty(), next.as_ref())?;
    Ok(Page { data, next })
}

/// Parses a page of any kind. Returns its `data` (`None` if missing or `null`) and the cursor of the next page, if there is
/// one.
pub(super) fn many<'de, List: Deserialize<'de>>(
    body: &'de [u8],
) -> Result<(Option<List>, Option<String>), String> {
    match parse(body)? {
        Many { errors: Some(_), .. } => Err("it has `errors`".into()),
        Many { data, errors: None, pagination } => Ok((data, next_page(pagination)?)),
    }
}

/// Rejects a page that has no data but claims to be followed by another page. The live service occasionally returns one.
pub(super) fn with_data(has_data: bool, next: Option<&String>) -> Result<(), FailureCause> {
    if has_data || next.is_none() { Ok(()) } else { Err(FailureCause::PageWithoutData) }
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
