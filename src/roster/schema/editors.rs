//! Post-processes the output of schemars for TOML and for editors. Each step makes a visible difference in taplo (Even Better
//! TOML).

use schemars::Schema;
use serde_json::{Map, Value, json};

/// Rewrites a single schema. schemars calls this for every subschema, outermost first.
pub(super) fn adapt(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        remove_null(object);
        remove_integer_width(object);
        list_words(object);
        join_lines(object);
        describe_items(object);
        describe_guardrail(object);
    }
}

/// Removes `null`, which TOML doesn't have, from types and alternatives.
fn remove_null(object: &mut Map<String, Value>) {
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

/// Removes the `uint64` format, which is of no use when editing a file.
fn remove_integer_width(object: &mut Map<String, Value>) {
    if object.get("format").is_some_and(|format| format == "uint64") {
        object.remove("format");
    }
}

/// Converts a `oneOf` of constants to an `enum`. Editors then give a better error ("is not one of") and describe each value.
fn list_words(object: &mut Map<String, Value>) {
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

/// Joins the lines of each paragraph of the description, which comes from a wrapped doc comment.
fn join_lines(object: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = object.get_mut("description") {
        let paragraphs: Vec<String> =
            text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *text = paragraphs.join("\n\n");
    }
}

/// Copies an array's description to its items because taplo shows the items' description for the array's key.
fn describe_items(object: &mut Map<String, Value>) {
    if let Some(text) = object.get("description").cloned()
        && let Some(Value::Object(items)) = object.get_mut("items")
    {
        items.entry("description").or_insert(text);
    }
}

/// Copies the description of an acknowledgment to its `guardrail` key, so that editors show it while completing that key.
fn describe_guardrail(object: &mut Map<String, Value>) {
    let text = object.get("description").cloned();
    if let Some(Value::Object(keys)) = object.get_mut("properties")
        && let (Some(text), Some(Value::Object(guardrail))) = (text, keys.get_mut("guardrail"))
    {
        guardrail.insert("description".into(), text);
    }
}
