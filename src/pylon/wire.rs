//! Encodes requests as JSON and decodes their responses (docs/pylon-users.openapi.yaml).
//!
//! Responses are parsed into structs rather than `serde_json::Value`, which would silently accept a duplicate key and use the
//! last value. Fields missing from earlier API versions are optional, and unknown fields are ignored.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::failure::{FailureCause, WrongShape};
use super::request::{
    AuditSearch, Endpoint, Entries, Identity, Listing, Me, Outgoing, PeopleRequest, ReadRequest, Request,
    RoleFields, RolePage, Roles, Search, Update, UserPage,
};
use crate::observed::{HeldValues, Integration, Organization, Person, Role, RoleId, UserId};
use crate::plan::blame::AuditEntry;
use crate::roster::{Email, FieldValue, PerField};

/// A value that must be a JSON object. A derived struct alone would also accept an array and match its elements by position.
struct Object<T>(T);

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
struct Data<T> {
    data: Object<T>,
}

/// A page of results, with `data` as a list of objects. If there are no results, `data` may also be missing or `null`, as seen in
/// the live service.
#[derive(Deserialize)]
struct Many<List> {
    #[serde(default = "none")]
    data: Option<List>,
    /// A 2xx response with `errors` must not be mistaken for an empty result.
    #[serde(default)]
    errors: Option<IgnoredAny>,
    #[serde(default)]
    pagination: Option<Object<WirePagination>>,
}

#[derive(Deserialize)]
struct WirePagination {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    has_next_page: Option<bool>,
}

fn none<T>() -> Option<T> {
    None
}

/// A field that can be missing (`None`) or `null` (`Some(None)`). `null` means empty, but a missing field does not.
type MaybeNull<T> = Option<Option<T>>;

fn maybe_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<MaybeNull<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A user in a response. Strings are borrowed from the body because a large listing would otherwise need a million small
/// allocations.
#[derive(Deserialize)]
struct WireUser<'a> {
    #[serde(borrow)]
    id: BorrowedText<'a>,
    #[serde(default, borrow, deserialize_with = "maybe_null")]
    email: MaybeNull<BorrowedText<'a>>,
    #[serde(default, borrow)]
    emails: Option<Vec<BorrowedText<'a>>>,
    #[serde(default, borrow)]
    name: Option<BorrowedText<'a>>,
    #[serde(default, borrow)]
    role_id: Option<BorrowedText<'a>>,
    /// The role as an object, which is present only in the API of July 2026.
    #[serde(default, borrow)]
    role: Option<Object<WireHeldRole<'a>>>,
    #[serde(default, borrow, deserialize_with = "maybe_null")]
    role_ids: MaybeNull<Vec<BorrowedText<'a>>>,
    #[serde(default, borrow, deserialize_with = "maybe_null")]
    roles: MaybeNull<Vec<Object<WireHeldRole<'a>>>>,
    #[serde(default)]
    is_deactivated: Option<bool>,
    #[serde(default, borrow)]
    status: Option<BorrowedText<'a>>,
}

/// A role held by a user. The name and slug must match the catalog unless they are empty.
#[derive(Deserialize)]
struct WireHeldRole<'a> {
    #[serde(borrow)]
    id: BorrowedText<'a>,
    #[serde(default, borrow)]
    name: BorrowedText<'a>,
    #[serde(default, borrow)]
    slug: BorrowedText<'a>,
}

/// A role in the catalog. All fields are required because a role without its slug might be the Admin role.
#[derive(Deserialize)]
struct WireRole<'a> {
    #[serde(borrow)]
    id: BorrowedText<'a>,
    #[serde(borrow)]
    name: BorrowedText<'a>,
    #[serde(borrow)]
    slug: BorrowedText<'a>,
}

/// A string that is copied from the body only if it contains escapes. (`Option<Cow<str>>` always copies.)
#[derive(Default)]
struct BorrowedText<'a>(Cow<'a, str>);

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

/// The users on a page, which are converted while the page is parsed. `wrong` is the error of the first failed conversion.
#[derive(Default)]
struct DecodedUsers {
    page: UserPage,
    wrong: Option<String>,
}

impl DecodedUsers {
    fn add(&mut self, user: WireUser<'_>, names: &mut ValuePool) -> Result<(), String> {
        let is_activity_unknown = user.is_deactivated.is_none();
        match convert(user, names)? {
            DecodedUser::Integration(integration) => self.page.integrations.push(integration),
            DecodedUser::Person(person, fields) => {
                if self.page.role_fields.is_some_and(|others| others != fields) {
                    return Err(format!(
                        "the user {} has other role fields than the users before",
                        person.id.as_str()
                    ));
                }
                self.page.role_fields = Some(fields);
                self.page.activity_unknown.extend(is_activity_unknown.then(|| person.id.clone()));
                self.page.people.push(person);
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for DecodedUsers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfList;

        impl<'de> Visitor<'de> for OfList {
            type Value = DecodedUsers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let (mut found, mut names) = (DecodedUsers::default(), ValuePool::default());
                let mut held: BTreeSet<[Cow<'de, str>; 3]> = BTreeSet::new();
                while let Some(Object(user)) = list.next_element::<Object<WireUser<'de>>>()? {
                    let roles = user.roles.iter().flatten().flatten().chain(&user.role);
                    held.extend(
                        roles.map(|Object(role)| {
                            [&role.id, &role.name, &role.slug].map(|text| text.0.clone())
                        }),
                    );
                    if let Err(why) = found.add(user, &mut names) {
                        found.wrong = found.wrong.or(Some(why));
                    }
                }
                let role = |[id, name, slug]: [Cow<'de, str>; 3]| Role {
                    id: RoleId(id.into()),
                    name: name.into_owned(),
                    slug: slug.into_owned(),
                };
                found.page.held = held.into_iter().map(role).collect();
                Ok(found)
            }
        }

        deserializer.deserialize_seq(OfList)
    }
}

/// Interns the role IDs and statuses on a page, which have few distinct values in practice.
#[derive(Default)]
struct ValuePool(BTreeSet<FieldValue>);

impl ValuePool {
    fn shared(&mut self, value: &BorrowedText<'_>) -> FieldValue {
        if let Some(known) = self.0.get(&*value.0) {
            return Arc::clone(known);
        }
        let value: FieldValue = Arc::from(&*value.0);
        self.0.insert(Arc::clone(&value));
        value
    }
}

#[derive(Deserialize)]
struct WireMe {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    user: Option<Object<WireOwner>>,
}

#[derive(Deserialize)]
struct WireOwner {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
struct WireEntry {
    id: String,
    action: String,
    action_happened_at: Timestamp,
    object_id: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    actor_user_id: Option<String>,
    #[serde(default)]
    attributes: Option<Texts>,
}

/// A map of strings that rejects duplicate keys, whereas a plain map would use the last value.
struct Texts(BTreeMap<String, String>);

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

/// The body of a Pylon error response. Fields are parsed independently so that an unexpected type in one of them doesn't hide the
/// code or the request ID.
#[derive(Deserialize)]
pub(super) struct WireError {
    /// The error messages, or `None` if the field is missing.
    #[serde(default, deserialize_with = "texts")]
    pub(super) errors: Option<Vec<String>>,
    #[serde(default, deserialize_with = "text")]
    pub(super) request_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) code: Option<String>,
}

impl WireError {
    /// Returns `true` if the error comes from Pylon itself rather than a proxy. Pylon's errors always have both `errors` and a
    /// request ID, but either is enough evidence.
    pub(super) fn is_pylons(&self) -> bool {
        self.errors.is_some() || self.request_id.is_some()
    }
}

/// Deserializes a string, turning a value of any other type into `None`.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(Value::deserialize(deserializer)?))
}

/// Deserializes a list of strings or a single string, skipping values of other types.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Some(match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().filter_map(as_text).collect(),
        value => as_text(value).into_iter().collect(),
    }))
}

fn as_text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

#[derive(Serialize)]
struct WireSearch<'a> {
    filter: WireFilter<'a>,
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct WireFilter<'a> {
    field: &'static str,
    operator: &'static str,
    values: Vec<&'a str>,
}

impl Request for Me {
    type Response = Identity;

    fn outgoing(&self) -> Outgoing {
        Outgoing::new(Endpoint::Me)
    }

    fn decode(&self, body: &[u8]) -> Result<Identity, FailureCause> {
        let wrong = |why| WrongShape::cause("the organization and the token's user", why);
        let WireMe { id, name, user } = parse::<Data<WireMe>>(body).map_err(wrong)?.data.0;
        let user = user.and_then(|user| user.0.id).and_then(|id| UserId::new(&id));
        Ok(Identity { organization: Organization { id, name }, user })
    }
}

impl Request for Roles {
    type Response = RolePage;

    fn outgoing(&self) -> Outgoing {
        Outgoing { query: cursor_query(self.cursor.as_ref()), ..Outgoing::new(Endpoint::Roles) }
    }

    fn decode(&self, body: &[u8]) -> Result<RolePage, FailureCause> {
        let expected = "a page of roles";
        let (roles, next) = list::<WireRole<'_>>(body, expected)?;
        let roles: Vec<Role> = roles.into_iter().map(role).collect();
        if roles.is_empty() && self.cursor.is_none() {
            return Err(WrongShape::cause(expected, "it is empty, but every organization has roles"));
        }
        Ok(RolePage { roles, next })
    }
}

impl Request for Listing {
    type Response = UserPage;

    fn outgoing(&self) -> Outgoing {
        let mut query = cursor_query(self.cursor.as_ref());
        if self.deactivated {
            query.insert(0, ("include_deactivated", "true".to_owned()));
        }
        Outgoing { query, ..Outgoing::new(Endpoint::Users) }
    }

    fn decode(&self, body: &[u8]) -> Result<UserPage, FailureCause> {
        let page = users(body)?;
        let is_empty = page.people.is_empty() && page.integrations.is_empty();
        if is_empty && self.cursor.is_none() {
            let why = "it is empty, but at least the token's own user exists";
            return Err(WrongShape::cause("a page of users", why));
        }
        Ok(page)
    }
}

impl Request for Search {
    type Response = UserPage;

    fn outgoing(&self) -> Outgoing {
        let values = self.emails.iter().map(Email::as_str).collect();
        let body = search_body("email", values, self.limit, self.cursor.as_deref());
        Outgoing { body: Some(body), ..Outgoing::new(Endpoint::Search) }
    }

    fn decode(&self, body: &[u8]) -> Result<UserPage, FailureCause> {
        users(body)
    }
}

impl Request for PeopleRequest {
    type Response = Vec<Person>;

    fn outgoing(&self) -> Outgoing {
        match self {
            Self::Search(search) => search.outgoing(),
            Self::One(id) => Outgoing { user: Some(id.clone()), ..Outgoing::new(Endpoint::User) },
        }
    }

    fn decode(&self, body: &[u8]) -> Result<Vec<Person>, FailureCause> {
        match self {
            Self::Search(search) => search.decode(body).map(|page| page.people),
            Self::One(id) => person(id, body).map(|person| vec![person]),
        }
    }
}

impl Request for AuditSearch {
    type Response = Entries;

    fn outgoing(&self) -> Outgoing {
        let values = self.people.iter().map(UserId::as_str).collect();
        let body = search_body("object_id", values, self.limit, self.cursor.as_deref());
        Outgoing { body: Some(body), ..Outgoing::new(Endpoint::Audit) }
    }

    fn decode(&self, body: &[u8]) -> Result<Entries, FailureCause> {
        let (entries, next) = list::<WireEntry>(body, "a page of audit log entries")?;
        let entries = entries.into_iter().map(audit_entry).collect();
        Ok(Entries { entries, next })
    }
}

impl Request for Update {
    type Response = Person;

    fn outgoing(&self) -> Outgoing {
        let fields = self.patch.some().map(|(field, value)| (field.patch_key(), &**value));
        let body = encode(&fields.collect::<BTreeMap<&str, &str>>());
        Outgoing { user: Some(self.id.clone()), body: Some(body), ..Outgoing::new(Endpoint::Patch) }
    }

    fn decode(&self, body: &[u8]) -> Result<Person, FailureCause> {
        person(&self.id, body)
    }
}

// `Update` deliberately isn't a `ReadRequest` because it's the only request with side effects.
impl ReadRequest for Me {}
impl ReadRequest for Roles {}
impl ReadRequest for Listing {}
impl ReadRequest for Search {}
impl ReadRequest for PeopleRequest {}
impl ReadRequest for AuditSearch {}

fn cursor_query(cursor: Option<&String>) -> Vec<(&'static str, String)> {
    cursor.map(|cursor| ("cursor", cursor.clone())).into_iter().collect()
}

fn search_body(field: &'static str, values: Vec<&str>, limit: usize, cursor: Option<&str>) -> Vec<u8> {
    encode(&WireSearch { filter: WireFilter { field, operator: "in", values }, limit, cursor })
}

fn encode(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_else(|error| unreachable!("structs of texts serialize: {error}"))
}

fn users(body: &[u8]) -> Result<UserPage, FailureCause> {
    let wrong = |why| WrongShape::cause("a page of users", why);
    let (data, next) = many::<DecodedUsers>(body).map_err(wrong)?;
    let DecodedUsers { page, wrong: first } = data.unwrap_or_default();
    first.map_or(Ok(()), |why| Err(wrong(why)))?;
    with_data(!page.people.is_empty() || !page.integrations.is_empty(), next.as_ref())?;
    Ok(UserPage { next, ..page })
}

/// Parses a page of objects into its entries and the cursor of the next page, if there is one.
fn list<'de, T: Deserialize<'de>>(
    body: &'de [u8],
    expected: &'static str,
) -> Result<(Vec<T>, Option<String>), FailureCause> {
    let (data, next) = many::<Vec<Object<T>>>(body).map_err(|why| WrongShape::cause(expected, why))?;
    let entries: Vec<T> = data.unwrap_or_default().into_iter().map(|Object(entry)| entry).collect();
    with_data(!entries.is_empty(), next.as_ref())?;
    Ok((entries, next))
}

/// Parses a page of any kind. Returns its `data`, unless missing or `null`, and the cursor of the next page, if there is one.
fn many<'de, List: Deserialize<'de>>(body: &'de [u8]) -> Result<(Option<List>, Option<String>), String> {
    match parse(body)? {
        Many { errors: Some(_), .. } => Err("it has `errors`".into()),
        Many { data, errors: None, pagination } => Ok((data, next_page(pagination)?)),
    }
}

/// Rejects a page without data that claims to be followed by another page, because the live service occasionally returns one.
fn with_data(has_data: bool, next: Option<&String>) -> Result<(), FailureCause> {
    if has_data || next.is_none() { Ok(()) } else { Err(FailureCause::PageWithoutData) }
}

/// Decodes the response to `GET` or `PATCH /users/{id}`. Returns an error if the response is about another user.
fn person(id: &UserId, body: &[u8]) -> Result<Person, FailureCause> {
    let wrong = |why| WrongShape::cause("the requested user", why);
    let user = parse::<Data<WireUser<'_>>>(body).map_err(wrong)?.data.0;
    match convert(user, &mut ValuePool::default()).map_err(wrong)? {
        DecodedUser::Person(person, _) if person.id == *id => Ok(person),
        DecodedUser::Person(Person { id, .. }, _) => {
            Err(wrong(format!("it is another user, {}", id.as_str())))
        }
        DecodedUser::Integration(Integration { id, .. }) => {
            Err(wrong(format!("the user {} has no email address", id.as_str())))
        }
    }
}

/// Parses an error body, unless it has a different format, such as a proxy's HTML page.
pub(super) fn error(body: &[u8]) -> Option<WireError> {
    parse(body).ok()
}

fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, String> {
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
        (None, Some(true)) => Err("it says that another page follows, but has no cursor for it".into()),
    }
}

fn role(WireRole { id, name, slug }: WireRole<'_>) -> Role {
    Role { id: RoleId(id.0.into()), name: name.0.into_owned(), slug: slug.0.into_owned() }
}

fn audit_entry(entry: WireEntry) -> AuditEntry {
    let WireEntry { id, action, action_happened_at, object_id, source, actor_user_id, attributes } = entry;
    AuditEntry {
        id,
        action,
        happened_at: action_happened_at,
        object: object_id,
        source: source.unwrap_or_default(),
        actor: actor_user_id.filter(|id| !id.is_empty()),
        attributes: attributes.map(|texts| texts.0).unwrap_or_default(),
    }
}

enum DecodedUser {
    Person(Person, RoleFields),
    Integration(Integration),
}

/// Converts a user. Returns an error if a field that affects decisions is missing, if fields contradict each other, or if the
/// ID can't be part of a path.
fn convert(user: WireUser<'_>, names: &mut ValuePool) -> Result<DecodedUser, String> {
    let Some(id) = UserId::new(&user.id.0) else {
        return Err(format!("a user has an ID that cannot be part of a path: {:?}", user.id.0));
    };
    let missing = |field: &str| format!("the user {} has no {field}", id.as_str());
    if user.email.is_none() {
        return Err(missing("email"));
    }
    let texts = user.email.iter().flatten().chain(user.emails.iter().flatten());
    let mut addresses = texts.filter(|text| !text.0.is_empty()).map(|text| Email::observed(&text.0));
    let Some(email) = addresses.next() else {
        let name = user.name.unwrap_or_default().0.into_owned();
        return Ok(DecodedUser::Integration(Integration { id, name }));
    };
    let secondary = addresses.filter(|other| *other != email).collect();
    let (role, fields) = roles_of(&user, names, missing)?;
    let WireUser { name, is_deactivated, status, .. } = user;
    let name = name.unwrap_or_default().0.into_owned();
    let status = HeldValues::one(names.shared(&status.ok_or_else(|| missing("status"))?));
    let held = PerField { role, status };
    let person = Person { id, email, secondary, name, held, deactivated: is_deactivated.unwrap_or(false) };
    Ok(DecodedUser::Person(person, fields))
}

/// Returns a user's roles, and which of the response's fields contain them.
fn roles_of(
    user: &WireUser<'_>,
    names: &mut ValuePool,
    missing: impl Fn(&str) -> String,
) -> Result<(HeldValues, RoleFields), String> {
    let WireUser { id, role_id, role, role_ids, roles, .. } = user;
    let contradiction =
        |role: &FieldValue| Err(format!("the role fields of the user {} disagree about {role}", id.0));
    let shown = role_id.as_ref().filter(|id| !id.0.is_empty()).map(|id| names.shared(id));
    let (role_ids, roles) = match (role_ids, roles) {
        (Some(role_ids), Some(roles)) => (role_ids, roles),
        (Some(_), None) => return Err(missing("roles")),
        (None, Some(_)) => return Err(missing("role_ids")),
        (None, None) => {
            let object = role.as_ref().map(|Object(role)| names.shared(&role.id));
            let role = match (object, role_id) {
                (None, None) => return Err(missing("role field (role_id, role_ids or roles)")),
                (Some(role), Some(_)) if shown.as_ref() != Some(&role) => return contradiction(&role),
                (object, _) => object.or(shown),
            };
            let assigned = role.into_iter().collect();
            return Ok((HeldValues { assigned, from_scim: Vec::new() }, RoleFields::One));
        }
    };
    let assigned = sorted(role_ids.iter().flatten().map(|id| names.shared(id)));
    let held = sorted(roles.iter().flatten().map(|Object(role)| names.shared(&role.id)));
    // Every role ID found in the other fields must appear in `roles`.
    match assigned.iter().chain(&shown).find(|role| !held.contains(role)) {
        Some(role) => contradiction(role),
        None => {
            let from_scim = held.into_iter().filter(|role| !assigned.contains(role)).collect();
            Ok((HeldValues { assigned, from_scim }, RoleFields::All))
        }
    }
}

fn sorted(roles: impl Iterator<Item = FieldValue>) -> Vec<FieldValue> {
    let mut roles: Vec<FieldValue> = roles.collect();
    roles.sort();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::plan::Patch;

    fn search() -> Search {
        Search { emails: Vec::new(), limit: 9, cursor: None }
    }

    fn audit_log() -> AuditSearch {
        AuditSearch { people: Vec::new(), limit: 9, cursor: None }
    }

    /// Returns the reason a body can't be decoded, if any.
    fn cause(request: &impl Request, body: &str) -> Option<FailureCause> {
        request.decode(body.as_bytes()).err()
    }

    fn page(body: &str) -> Result<UserPage, FailureCause> {
        search().decode(body.as_bytes())
    }

    const ANA: &str = r#"{"id":"u1","email":"a@b.example","name":"A","role_id":"r1","status":"active"}"#;

    #[test]
    fn the_last_page_has_no_pagination_or_an_empty_one() {
        for (pagination, next) in [
            ("", None),
            (r#","pagination":null"#, None),
            (r#","pagination":{}"#, None),
            (r#","pagination":{"cursor":"","has_next_page":false}"#, None),
            (r#","pagination":{"cursor":"c","has_next_page":false}"#, None),
            (r#","pagination":{"cursor":"c","has_next_page":true}"#, Some("c")),
            (r#","pagination":{"cursor":"c"}"#, Some("c")),
        ] {
            let page = page(&format!(r#"{{"data":[{ANA}],"request_id":"r"{pagination}}}"#)).unwrap();
            assert_eq!(page.next.as_deref(), next, "{pagination}");
        }
        assert!(page(&format!(r#"{{"data":[{ANA}],"pagination":{{"has_next_page":true}}}}"#)).is_err());
    }

    #[test]
    fn an_empty_search_omits_data_or_has_null_or_an_empty_list() {
        for data in ["", r#""data":null,"#, r#""data":[],"#] {
            let body = format!(r#"{{{data}"request_id":"r"}}"#);
            assert_eq!(page(&body).unwrap(), UserPage::default(), "{body}");
            let entries = Entries { entries: Vec::new(), next: None };
            assert_eq!(audit_log().decode(body.as_bytes()), Ok(entries), "{body}");
            let id = UserId::new("u1").unwrap();
            for cause in [
                cause(&Me, &body),
                cause(&Roles { cursor: None }, &body),
                cause(&Listing { deactivated: false, cursor: None }, &body),
                cause(&PeopleRequest::One(id.clone()), &body),
                cause(&Update { id, patch: Patch { role: None, status: None } }, &body),
            ] {
                assert!(matches!(cause, Some(FailureCause::WrongShape(_))), "{body}: {cause:?}");
            }
        }
    }

    #[test]
    fn an_error_with_the_status_200_is_not_an_empty_result() {
        assert!(page(r#"{"errors":["no"],"code":"internal_error","request_id":"r"}"#).is_err());
    }

    #[test]
    fn a_page_without_data_that_has_a_next_page_is_not_an_empty_list() {
        let next = r#""pagination":{"cursor":"c","has_next_page":true},"request_id":"r""#;
        for data in ["", r#""data":null,"#, r#""data":[],"#] {
            let body = format!("{{{data}{next}}}");
            for cause in [
                cause(&Roles { cursor: None }, &body),
                cause(&Listing { deactivated: false, cursor: None }, &body),
                cause(&search(), &body),
                cause(&audit_log(), &body),
            ] {
                assert_eq!(cause, Some(FailureCause::PageWithoutData), "{data}");
            }
        }
    }

    #[test]
    fn an_empty_page_reached_through_a_cursor_ends_a_list() {
        let cursor = || Some("c".to_owned());
        let body = r#"{"data":[],"request_id":"r"}"#;
        assert_eq!(cause(&Roles { cursor: cursor() }, body), None);
        assert_eq!(cause(&Listing { deactivated: false, cursor: cursor() }, body), None);
    }

    #[test]
    fn every_date_of_the_api_decodes_to_the_same_person() {
        let april = page(&format!(r#"{{"data":[{ANA}]}}"#)).unwrap();
        let july = page(
            r#"{"data":[{"id":"u1","email":"a@b.example","emails":null,"name":"A","role_id":"r1",
               "role":{"id":"r1","name":"Admin","slug":"admin"},"status":"active"}]}"#,
        )
        .unwrap();
        let october = page(
            r#"{"data":[{"id":"u1","email":"a@b.example","emails":["a@b.example"],"name":"A","role_id":"r1","role_ids":["r1"],
               "roles":[{"id":"r1","name":"Admin","slug":"admin"}],"is_deactivated":false,"status":"active","avatar_url":null}]}"#,
        )
        .unwrap();
        for (page, unknown, fields) in
            [(&april, 1, RoleFields::One), (&july, 1, RoleFields::One), (&october, 0, RoleFields::All)]
        {
            assert_eq!(page.people, october.people);
            assert_eq!((page.activity_unknown.len(), page.role_fields), (unknown, Some(fields)));
        }
    }

    #[test]
    fn roles_beyond_the_assigned_ones_come_from_scim() {
        for role_ids in ["[]", "null"] {
            let page = page(&format!(
                r#"{{"data":[{{"id":"u1","email":"a@b.example","name":"A","role_id":"","role_ids":{role_ids},"status":"",
                   "roles":[{{"id":"r2","name":"Lead","slug":"lead"}}]}}]}}"#,
            ))
            .unwrap();
            let held = HeldValues { assigned: vec![], from_scim: vec!["r2".into()] };
            assert_eq!(page.people[0].held, PerField { role: held, status: HeldValues::default() });
        }
    }

    fn user(fields: &str) -> Result<UserPage, FailureCause> {
        page(&format!(r#"{{"data":[{{"id":"u1","name":"A",{fields}}}]}}"#))
    }

    #[test]
    fn a_user_without_any_address_is_an_integration_and_not_a_person() {
        for fields in [
            r#""email":"","status":"","role_id":"""#,
            r#""email":null,"emails":null"#,
            r#""email":"","emails":[""],"role_ids":null,"roles":null"#,
        ] {
            let page = user(fields).unwrap();
            let fivetran = Integration { id: UserId::new("u1").unwrap(), name: "A".into() };
            assert_eq!((page.people, page.integrations), (vec![], vec![fivetran]), "{fields}");
        }
        let page = user(r#""email":"","emails":["a@b.example"],"status":"","role_id":"r1""#).unwrap();
        assert_eq!(page.people[0].email.as_str(), "a@b.example", "any address makes a person");
    }

    #[test]
    fn an_absent_required_field_is_an_error_but_an_empty_one_is_not() {
        let all = [
            ("email", r#""email":"a@b.example""#),
            ("status", r#""status":"""#),
            ("role_id", r#""role_id":"""#),
        ];
        let without = |name: &str| {
            all.iter()
                .filter(|(other, _)| *other != name)
                .map(|(_, field)| *field)
                .collect::<Vec<_>>()
                .join(",")
        };
        assert!(user(&without("nothing")).is_ok());
        for (name, _) in all {
            let Err(FailureCause::WrongShape(wrong)) = user(&without(name)) else { panic!("{name}") };
            assert!(
                wrong.why.starts_with("the user u1 has no ") && wrong.why.contains(name),
                "{}",
                wrong.why
            );
        }
        let base = r#""email":"a@b.example","status":"","role_id":"r1""#;
        let (ids, roles) = (r#""role_ids":["r1"]"#, r#""roles":[{"id":"r1"}]"#);
        assert!(user(&format!("{base},{ids},{roles}")).is_ok());
        assert!(user(&format!("{base},{ids}")).is_err(), "roles are missing");
        assert!(user(&format!("{base},{roles}")).is_err(), "role_ids are missing");
    }

    #[test]
    fn role_fields_that_contradict_each_other_are_an_error() {
        for fields in [
            r#""role_id":"r2","role_ids":["r1"],"roles":[{"id":"r1"}]"#,
            r#""role_id":"r1","role_ids":["r1"],"roles":[]"#,
            r#""role_id":"r1","role_ids":null,"roles":null"#,
            r#""role_id":"r1","role_ids":["r1","r2"],"roles":[{"id":"r1"}]"#,
            r#""role_id":"r1","role":{"id":"r2"}"#,
            r#""role_id":"","role":{"id":"r2"}"#,
        ] {
            let result = user(&format!(r#""email":"a@b.example","status":"",{fields}"#));
            assert!(matches!(result, Err(FailureCause::WrongShape(_))), "{fields}: {result:?}");
        }
    }

    #[test]
    fn users_of_one_page_have_the_same_role_fields() {
        let bo = r#"{"id":"u2","email":"b@b.example","name":"B","role_id":"r1","role_ids":["r1"],"roles":[{"id":"r1"}],"status":""}"#;
        assert!(page(&format!(r#"{{"data":[{ANA},{bo}]}}"#)).is_err());
    }

    #[test]
    fn a_role_of_the_catalog_without_a_name_or_slug_is_an_error() {
        let roles = |role: &str| Roles { cursor: None }.decode(format!(r#"{{"data":[{role}]}}"#).as_bytes());
        assert!(roles(r#"{"id":"r1","name":"Admin","slug":"admin"}"#).is_ok());
        for role in [
            r#"{"id":"r1","name":"Admin"}"#,
            r#"{"id":"r1","slug":"admin"}"#,
            r#"{"name":"Admin","slug":"admin"}"#,
        ] {
            assert!(roles(role).is_err(), "{role}");
        }
    }

    #[test]
    fn an_unsafe_id_or_a_duplicate_key_is_an_error() {
        for bad in [
            r#"{"data":[{"id":"../me","email":""}]}"#,
            r#"{"data":[{"id":"","email":""}]}"#,
            r#"{"data":[{"email":""}]}"#,
            r#"{"data":[{"id":"a","id":"b"}]}"#,
            "[[]]",
            r#"{"data":[["u1"]]}"#,
            r#"{"data":[],"pagination":[]}"#,
            r#"{"data":[],"pagination":["c",true]}"#,
            "<html>",
        ] {
            assert!(page(bad).is_err(), "{bad}");
        }
        let id = UserId::new("u1").unwrap();
        let other = ANA.replace("u1", "u2");
        assert!(person(&id, format!(r#"{{"data":{ANA}}}"#).as_bytes()).is_ok());
        assert!(person(&id, format!(r#"{{"data":{other}}}"#).as_bytes()).is_err());
    }

    fn entries(entry: &str) -> Result<Entries, FailureCause> {
        audit_log().decode(format!(r#"{{"data":[{entry}],"request_id":"r"}}"#).as_bytes())
    }

    const NEEDED: &str = r#""id":"a1","action":"UserRoleChanged","action_happened_at":"2026-08-20T16:02:31.5+02:00","object_id":"u1""#;

    #[test]
    fn optional_fields_of_an_audit_entry_may_be_absent_or_null() {
        let bare = AuditEntry {
            id: "a1".into(),
            action: "UserRoleChanged".into(),
            happened_at: "2026-08-20T14:02:31.5Z".parse().unwrap(),
            object: "u1".into(),
            source: String::new(),
            actor: None,
            attributes: BTreeMap::new(),
        };
        let full = AuditEntry {
            source: "app".into(),
            actor: Some("u2".into()),
            attributes: [("old_role_id".to_owned(), "r1".to_owned())].into(),
            ..bare.clone()
        };
        for (more, expected) in [
            ("", &bare),
            (r#","source":null,"actor_user_id":null,"attributes":null"#, &bare),
            (r#","source":"","actor_user_id":"","attributes":{}"#, &bare),
            (r#","source":"app","actor_user_id":"u2","attributes":{"old_role_id":"r1"}"#, &full),
            (
                r#","created_at":7,"object_type":"user","source":"app","actor_user_id":"u2","actor_contact_id":null,
                   "attributes":{"old_role_id":"r1"},"metadata":{"ip":[1]},"link":null"#,
                &full,
            ),
        ] {
            let page = entries(&format!("{{{NEEDED}{more}}}")).unwrap();
            assert_eq!(
                (page.entries.as_slice(), page.next),
                (std::slice::from_ref(expected), None),
                "{more}"
            );
        }
    }

    #[test]
    fn an_audit_entry_with_wrong_types_is_an_error() {
        for bad in [
            "7".to_owned(),
            r#"["a1","UserRoleChanged","2026-08-20T14:02:31Z","u1"]"#.to_owned(),
            "{}".to_owned(),
            format!("{{{}}}", NEEDED.replace("2026-08-20T16:02:31.5+02:00", "yesterday")),
            format!("{{{}}}", NEEDED.replace("\"2026-08-20T16:02:31.5+02:00\"", "1787234551")),
            format!("{{{}}}", NEEDED.replace("\"u1\"", "null")),
            format!("{{{}}}", NEEDED.replace("\"UserRoleChanged\"", "[]")),
            format!(r#"{{{NEEDED},"id":"a2"}}"#),
            format!(r#"{{{NEEDED},"source":7}}"#),
            format!(r#"{{{NEEDED},"actor_user_id":7}}"#),
            format!(r#"{{{NEEDED},"attributes":[]}}"#),
            format!(r#"{{{NEEDED},"attributes":{{"new_role_id":7}}}}"#),
            format!(r#"{{{NEEDED},"attributes":{{"new_role_id":null}}}}"#),
            format!(r#"{{{NEEDED},"attributes":{{"new_role_id":"r1","new_role_id":"r2"}}}}"#),
        ] {
            assert!(entries(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_body_must_be_an_object() {
        let said = error(br#"{"errors":["x"],"request_id":"r","code":"rate_limited","more":1}"#).unwrap();
        assert_eq!(
            (said.errors.unwrap(), said.request_id, said.code),
            (vec!["x".into()], Some("r".into()), Some("rate_limited".into()))
        );
        for (errors, told) in [
            ("null", vec![]),
            ("[]", vec![]),
            ("7", vec![]),
            ("{}", vec![]),
            (r#""x""#, vec!["x".to_owned()]),
            (r#"[{"message":"x"}]"#, vec![]),
            (r#"["x",null,["y"],"z"]"#, vec!["x".to_owned(), "z".to_owned()]),
        ] {
            let said =
                error(format!(r#"{{"errors":{errors},"request_id":"r","code":"c"}}"#).as_bytes()).unwrap();
            assert_eq!(
                (said.errors.unwrap(), said.request_id, said.code),
                (told, Some("r".into()), Some("c".into()))
            );
        }
        for odd in ["null", "7", "[]", r#"["c"]"#, "{}"] {
            let said =
                error(format!(r#"{{"errors":["x"],"request_id":{odd},"code":"c"}}"#).as_bytes()).unwrap();
            assert_eq!((said.request_id, said.code), (None, Some("c".into())), "{odd}");
            let said =
                error(format!(r#"{{"errors":["x"],"request_id":"r","code":{odd}}}"#).as_bytes()).unwrap();
            assert_eq!((said.request_id, said.code), (Some("r".into()), None), "{odd}");
        }
        for no_envelope in [r#"[["x"],"r","rate_limited"]"#, "[]", "<html>", "", r#"{"code":"a","code":"b"}"#]
        {
            assert!(error(no_envelope.as_bytes()).is_none(), "{no_envelope}");
        }
    }

    #[test]
    fn request_bodies_contain_exactly_the_requested_fields() {
        let body = |outgoing: Outgoing| String::from_utf8(outgoing.body.unwrap()).unwrap();
        let emails = vec![Email::observed("a@b.example")];
        assert_eq!(
            body(Search { emails, limit: super::super::request::PAGE, cursor: None }.outgoing()),
            r#"{"filter":{"field":"email","operator":"in","values":["a@b.example"]},"limit":999}"#
        );
        let people = ["u1", "u2"].map(|id| UserId::new(id).unwrap()).to_vec();
        assert_eq!(
            body(AuditSearch { people, limit: 9, cursor: Some("c".into()) }.outgoing()),
            r#"{"filter":{"field":"object_id","operator":"in","values":["u1","u2"]},"limit":9,"cursor":"c"}"#
        );
        let patch = Patch { role: Some("r1".into()), status: None };
        let update = Update { id: UserId::new("u1").unwrap(), patch };
        assert_eq!(update.outgoing().asked(), "PATCH /users/u1");
        assert_eq!(body(update.outgoing()), r#"{"role_id":"r1"}"#);
        let patch = Patch { role: Some("r1".into()), status: Some("away".into()) };
        let update = Update { patch, ..update };
        assert_eq!(body(update.outgoing()), r#"{"role_id":"r1","status":"away"}"#);
    }
}
