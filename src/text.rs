//! Plain text for terminals.

/// A table with aligned columns; the first row is the head. A column whose cells all begin with a digit, a sign or
/// nothing is right-aligned, any other one left.
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let number = |cell: &str| cell.chars().next().is_none_or(|c| c.is_ascii_digit() || "-+".contains(c));
    let right: Vec<bool> = (0..N).map(|c| rows.iter().skip(1).all(|r| number(&r[c]))).collect();
    let mut text = String::new();
    for row in rows {
        for (c, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[c] - cell.chars().count());
            let gap = if c == 0 { "" } else { "  " };
            text += &if right[c] { format!("{gap}{pad}{cell}") } else { format!("{gap}{cell}{pad}") };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned() {
        let rows = [["a".to_string(), "bits".to_string()], ["long".to_string(), "7".to_string()]];
        assert_eq!(super::table(&rows), "a     bits\nlong     7\n");
    }
}
