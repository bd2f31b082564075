//! What schemars writes, as TOML has it and as editors read it: each step was seen to matter in taplo (Even Better TOML).

use schemars::Schema;
use serde_json::{Map, Value, json};

/// Suits one schema of those that are in the whole, the outer ones first.
pub(super) fn suit(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        without_null(object);
        without_width(object);
        as_list_of_words(object);
        with_lines_joined(object);
        said_of_the_items(object);
        said_of_the_guardrail(object);
    }
}

/// TOML has no null: what may be left out is left out.
fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        let before = types.len();
        types.retain(|kind| kind != "null");
        if let ([only], true) = (types.as_slice(), types.len() < before) {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({ "type": "null" }));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// The width of an integer does not matter to people who write one.
fn without_width(object: &mut Map<String, Value>) {
    if object.get("format").is_some_and(|format| format == "uint64") {
        object.remove("format");
    }
}

/// A choice of words is a list of words, of which an editor says "is not one of", with the meaning of each.
fn as_list_of_words(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get("oneOf") else {
        return;
    };
    let words = choices.iter().map(|choice| choice.get("const").cloned()).collect::<Option<Vec<_>>>();
    let meanings =
        choices.iter().map(|choice| choice.get("description").cloned()).collect::<Option<Vec<_>>>();
    if let (Some(words), Some(meanings)) = (words, meanings) {
        object.remove("oneOf");
        object.insert("type".into(), "string".into());
        object.insert("enum".into(), words.into());
        object.insert("x-taplo".into(), json!({ "docs": { "enumValues": meanings } }));
    }
}

/// Where a line of the source ends, none of the text does.
fn with_lines_joined(object: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = object.get_mut("description") {
        let paragraphs: Vec<String> =
            text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *text = paragraphs.join("\n\n");
    }
}

/// Over the key of a list, taplo shows the description of the items.
fn said_of_the_items(object: &mut Map<String, Value>) {
    if let Some(text) = object.get("description").cloned()
        && let Some(Value::Object(items)) = object.get_mut("items")
    {
        items.entry("description").or_insert(text);
    }
}

/// What an acknowledgment is for is said where the name of its guardrail is completed.
fn said_of_the_guardrail(object: &mut Map<String, Value>) {
    let text = object.get("description").cloned();
    if let Some(Value::Object(keys)) = object.get_mut("properties")
        && let (Some(text), Some(Value::Object(guardrail))) = (text, keys.get_mut("guardrail"))
    {
        guardrail.insert("description".into(), text);
    }
}
