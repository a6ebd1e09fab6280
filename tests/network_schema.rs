//! The published JSON Schema of network files is that of the code.

use std::path::Path;

use hafnia::network::json_schema;

#[test]
fn the_published_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/network.schema.json");
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "docs/network.schema.json is not up to date; regenerate it with `UPDATE_SCHEMA=1 cargo test --test network_schema`"
    );
}
