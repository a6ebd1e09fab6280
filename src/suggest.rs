//! "Did you mean": the nearest known name for an unknown one.

/// `; did you mean `NAME`?`, or nothing where no name is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let best = known.into_iter().map(|k| (strsim::jaro_winkler(name, k), k)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, known)) if score > 0.75 => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_a_near_name_only() {
        assert_eq!(nearest("inptus", ["outputs", "inputs"]), "; did you mean `inputs`?");
        assert_eq!(nearest("zzz", ["outputs", "inputs"]), "");
    }
}
