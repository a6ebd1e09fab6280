use anyhow::Result;
use serde_json::json;

use super::{Answer, Outcome};
use crate::text::table;
use crate::tool;

/// Check that the external tools are there and new enough.
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: Args) -> Result<Answer> {
    let mut rows = vec![["tool", "needs", "found"].map(String::from)];
    let mut tools = Vec::new();
    let mut outcome = Outcome::Held;
    for tool in tool::ALL {
        let found = tool.version();
        if found.is_err() {
            outcome = Outcome::Failed;
        }
        let error = found.as_ref().err().map(ToString::to_string);
        let shown = found.as_ref().map_or_else(ToString::to_string, Clone::clone);
        rows.push([tool.name.into(), tool.minimum.into(), shown]);
        tools.push(json!({ "name": tool.name, "minimum": tool.minimum, "found": found.ok(), "error": error }));
    }
    Ok(Answer { text: table(&rows), json: json!({ "tools": tools }), outcome })
}
