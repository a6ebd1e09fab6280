//! TOML with `key=value` assignments laid over it; a key that nothing reads is an error with a suggestion.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;
use toml::Value;

use crate::Error;

/// Parses `text`, applies the assignments in order, and reads the whole. `place` stands in the messages.
pub fn read<T: Serialize + DeserializeOwned>(place: &str, text: &str, assignments: &[String]) -> Result<T, Error> {
    let bad = |reason: String| Error::Recipe { place: place.into(), reason };
    let table: toml::Table = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
    let mut given = Value::Table(table);
    for assignment in assignments {
        assign(&mut given, assignment).map_err(|reason| Error::Assignment { text: assignment.clone(), reason })?;
    }
    let read: T = given.clone().try_into().map_err(|e: toml::de::Error| bad(e.to_string().trim_end().into()))?;
    // What was read, written out again with every default, lists the keys that exist.
    let known = serde_json::to_value(&read).expect("a recipe is plain data");
    match unknown(&given, &known, "") {
        Some(reason) => Err(bad(reason)),
        None => Ok(read),
    }
}

fn assign(root: &mut Value, assignment: &str) -> Result<(), String> {
    let (path, text) = assignment.split_once('=').ok_or("write it as key=value, for example train.epochs=20")?;
    let mut keys: Vec<&str> = path.trim().split('.').collect();
    let last = keys.pop().filter(|k| !k.is_empty()).ok_or("the key is empty")?;
    let mut at = root;
    for key in keys {
        at = match at {
            Value::Table(table) => table.entry(key).or_insert_with(|| Value::Table(toml::Table::new())),
            Value::Array(items) => item(items, key)?,
            other => return Err(format!("`{key}` would stand inside {other}, which is no table")),
        };
    }
    match at {
        Value::Table(table) => _ = table.insert(last.into(), value(text.trim())),
        Value::Array(items) => *item(items, last)? = value(text.trim()),
        other => return Err(format!("`{last}` would stand inside {other}, which is no table")),
    }
    Ok(())
}

fn item<'a>(items: &'a mut [Value], key: &str) -> Result<&'a mut Value, String> {
    let count = items.len();
    key.parse()
        .ok()
        .and_then(|i: usize| items.get_mut(i))
        .ok_or(format!("`{key}` is no index of a list with {count} entries; count from 0"))
}

/// A TOML value; whatever is none stands for itself as text, so that strings need no quotes.
fn value(text: &str) -> Value {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    parsed.and_then(|mut t| t.remove("value")).unwrap_or_else(|| Value::String(text.into()))
}

fn unknown(given: &Value, known: &Json, path: &str) -> Option<String> {
    match (given, known) {
        (Value::Table(given), Json::Object(known)) => given.iter().find_map(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match known.get(key) {
                Some(known) => unknown(value, known, &path),
                None => {
                    let names: Vec<&str> = known.keys().map(String::as_str).collect();
                    let near = hafnia::suggest::nearest(key, names.iter().copied());
                    let near = if near.is_empty() { format!("; keys here: {}", names.join(", ")) } else { near };
                    Some(format!("unknown key `{path}`{near}"))
                }
            }
        }),
        (Value::Array(given), Json::Array(known)) => {
            given.iter().zip(known).enumerate().find_map(|(i, (g, k))| unknown(g, k, &format!("{path}.{i}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::recipe::{Recipe, SHIPPED, Schedule};

    fn set(assignments: &[&str]) -> Result<Recipe, String> {
        let assignments: Vec<String> = assignments.iter().map(|a| a.to_string()).collect();
        Recipe::parse("test.toml", SHIPPED[0].1, &assignments).map_err(|e| e.to_string())
    }

    #[test]
    fn assignments_reach_tables_lists_and_text() {
        let recipe = set(&["train.epochs=3", "layers.1.neurons=77", "train.schedule=step", "seed=9"]).unwrap();
        assert_eq!((recipe.train.epochs, recipe.layers[1].neurons, recipe.seed), (3, 77, 9));
        assert_eq!(recipe.train.schedule, Schedule::Step);
    }

    #[test]
    fn unknown_keys_are_errors_with_a_suggestion() {
        let message = set(&["train.epoch=3"]).unwrap_err();
        assert!(message.contains("unknown key `train.epoch`; did you mean `epochs`?"), "{message}");
        let message = set(&["layers.0.neuron=3"]).unwrap_err();
        assert!(message.contains("unknown key `layers.0.neuron`; did you mean `neurons`?"), "{message}");
    }

    #[test]
    fn an_assignment_that_fits_nowhere_says_why() {
        assert!(set(&["train.epochs"]).unwrap_err().contains("key=value"));
        assert!(set(&["layers.9.neurons=3"]).unwrap_err().contains("no index of a list with 3 entries"));
        assert!(set(&["train.epochs=many"]).unwrap_err().contains("invalid type"));
    }
}
