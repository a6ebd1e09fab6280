//! docs/registers.md is made from the headers of the blocks that hold registers, and their code has the same addresses.
//! `UPDATE_GOLDEN=1 cargo test --test registers` writes it anew.

use std::fmt::Write;
use std::path::Path;

/// Blocks with registers, and when a design has them.
const BLOCKS: [(&str, &str); 3] = [
    ("hf_registers", "Every design."),
    ("hf_memory_registers", "Designs with `[memory]`: see [few-shot.md](few-shot.md)."),
    ("hf_array_access", "Designs with `[program]`: see [programming.md](programming.md)."),
];

#[derive(Debug, PartialEq)]
struct Register {
    address: u32,
    name: String,
    access: String,
    reset: String,
    meaning: String,
}

fn source(block: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("rtl/{block}.sv"))).unwrap()
}

/// Registers of a header, and the text below them.
fn header(block: &str) -> (Vec<Register>, String) {
    let text = source(block);
    let mut lines = text.lines().skip_while(|line| !line.starts_with("// Registers   "));
    let titles = lines.next().unwrap_or_else(|| panic!("{block} has no registers"));
    let address = titles.find("address").unwrap_or_else(|| panic!("{block}: no column of addresses"));
    let (mut registers, mut below) = (Vec::<Register>::new(), Vec::new());
    for line in lines.take_while(|line| line.starts_with("//          ")) {
        let text = line[address..].trim_end();
        // Columns are two blanks or more apart.
        let mut rest = text;
        let mut cells = std::iter::from_fn(|| {
            let (cell, behind) = rest.split_once("  ").unwrap_or((rest, ""));
            rest = behind.trim_start();
            Some(cell.to_string())
        });
        let mut cell = || cells.next().expect("as many as one asks for");
        let number = cell().strip_prefix("0x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match (number, registers.last_mut()) {
            (Some(address), _) => {
                registers.push(Register { address, name: cell(), access: cell(), reset: cell(), meaning: cell() })
            }
            (None, Some(last)) if text.starts_with(' ') => write!(last.meaning, " {}", text.trim()).unwrap(),
            _ => below.push(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }
    (registers, below.join(" "))
}

fn document() -> String {
    let mut text = String::from(
        "# Registers\n\nOn AXI4-Lite, 32-bit words, an 8-bit address. Made from the headers in `rtl/` by \
         `UPDATE_GOLDEN=1 cargo test --test registers`.\n",
    );
    for (block, designs) in BLOCKS {
        let (registers, below) = header(block);
        write!(
            text,
            "\n## {block}\n\n{designs}\n\n| address | name | access | reset | meaning |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for r in registers {
            writeln!(text, "| 0x{:02X} | {} | {} | {} | {} |", r.address, r.name, r.access, r.reset, r.meaning)
                .unwrap();
        }
        writeln!(text, "\n{below}").unwrap();
    }
    text
}

#[test]
fn the_document_is_what_the_headers_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/registers.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, document()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), document(), "UPDATE_GOLDEN=1 writes {} anew", path.display());
}

/// Every address that the code compares with stands in the header, and the other way round; no two blocks share one.
#[test]
fn the_code_has_the_addresses_of_the_header() {
    let mut all = Vec::new();
    for (block, _) in BLOCKS {
        let text = source(block);
        let constants = text.lines().filter_map(|line| line.trim().strip_prefix("localparam logic [7:0] "));
        let mut coded: Vec<u32> = constants
            .map(|c| c.split_once("8'h").unwrap().1)
            .map(|hex| u32::from_str_radix(hex.trim_end_matches(';'), 16).unwrap())
            .collect();
        // Where the other blocks begin is no register.
        coded.retain(|address| block != "hf_registers" || *address != 0x40);
        let listed: Vec<u32> = header(block).0.iter().map(|r| r.address).collect();
        assert!(!listed.is_empty());
        assert_eq!(coded, listed, "{block}");
        all.extend(listed);
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

/// By hand, from the header of hf_registers.
#[test]
fn a_header_is_read_as_it_stands() {
    let (registers, below) = header("hf_registers");
    let names: Vec<&str> = registers.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["ID", "STATUS", "IMAGES", "PRECHARGE", "WINDOW"]);
    let status = Register {
        address: 4,
        name: "STATUS".into(),
        access: "R/W1C".into(),
        reset: "0".into(),
        meaning: "bit 0: images in flight; bit 1: tlast was out of place (write 1 to clear)".into(),
    };
    assert_eq!(registers[1], status);
    assert!(below.contains("Byte strobes must be all ones"), "{below}");
}
