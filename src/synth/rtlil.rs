//! Yosys' text form of an elaborated design, taken apart module by module. Modules are synthesized one at a time: the hierarchy
//! is kept, so that none depends on what is inside another, only on its ports.

use std::collections::{BTreeMap, HashMap};

use super::SynthError;

/// The modules of an elaborated design.
pub(super) struct Design<'a> {
    /// By name, without the backslash of a public one.
    pub modules: BTreeMap<&'a str, Module<'a>>,
}

pub(super) struct Module<'a> {
    /// From its attributes to its end.
    text: &'a str,
    pub black_box: bool,
    /// Names of the modules in it, each once.
    pub inside: Vec<&'a str>,
}

/// A public name without its backslash; a generated one as it is.
fn plain(name: &str) -> &str {
    name.strip_prefix('\\').unwrap_or(name)
}

impl<'a> Design<'a> {
    pub fn parse(text: &'a str) -> Result<Self, SynthError> {
        let bad = |reason: String| SynthError::Netlist { reason };
        let mut design = Self { modules: BTreeMap::new() };
        let mut start = None; // of the module at hand, attributes included
        let mut at = 0;
        let mut module: Option<(&str, Vec<&str>)> = None;
        let mut black_box = false;
        for line in text.split_inclusive('\n') {
            let words = line.trim_end();
            if words.starts_with("attribute ") {
                start = start.or(Some(at));
                black_box |= words.starts_with("attribute \\blackbox ");
            } else if let Some(name) = words.strip_prefix("module ") {
                start = start.or(Some(at));
                module = Some((name, Vec::new()));
            } else if words == "end" {
                let (name, mut inside) = module.take().ok_or_else(|| bad("an `end` without a module".into()))?;
                let from = start.take().expect("set by the module's line");
                inside.sort_unstable();
                inside.dedup();
                let text = &text[from..at + line.len()];
                // `-defer` leaves what was read and not elaborated.
                if !name.starts_with("$abstract") {
                    design.modules.insert(plain(name), Module { text, black_box, inside });
                }
                black_box = false;
            } else if let (Some((_, inside)), Some(cell)) = (&mut module, words.strip_prefix("  cell ")) {
                let kind = cell.split(' ').next().unwrap_or_default();
                if !super::area::is_primitive(kind) {
                    inside.push(plain(kind));
                }
            }
            at += line.len();
        }
        for (name, module) in &design.modules {
            if let Some(missing) = module.inside.iter().find(|n| !design.modules.contains_key(*n)) {
                return Err(bad(format!("`{name}` names a module `{missing}` that is not there")));
            }
        }
        Ok(design)
    }

    /// The modules below `top`, itself included, that are no black boxes.
    pub fn below(&self, top: &str) -> Vec<&'a str> {
        let mut found: BTreeMap<&str, ()> = BTreeMap::new();
        let mut open: Vec<&str> = self.modules.get_key_value(top).map(|(name, _)| *name).into_iter().collect();
        while let Some(name) = open.pop() {
            let module = &self.modules[name];
            if !module.black_box && found.insert(name, ()).is_none() {
                open.extend(&module.inside);
            }
        }
        found.into_keys().collect()
    }

    /// A design of one module, the modules in it as black boxes; the same for the same module of any design.
    pub fn alone(&self, name: &str) -> String {
        let module = &self.modules[name];
        let boxes = module.inside.iter().map(|n| self.modules[n].stub()).collect::<String>();
        let (text, next) = renumbered(module.text);
        format!("autoidx {next}\n{boxes}{text}")
    }
}

/// Numbers in generated names, such as `$and$top.sv:7$123_Y`, count what was read before: here they count from 1 in the order
/// in which they appear. Returns the text, and a number above all.
fn renumbered(text: &str) -> (String, usize) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive([' ', '\n']) {
        // Names of modules have hashes and parameters in them, which stay; names of the source may have any `$`.
        let generated = word.starts_with('$') && !word.starts_with("$paramod") || word.contains("$func$");
        if !generated {
            out.push_str(word);
            continue;
        }
        for (k, part) in word.split('$').enumerate() {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, rest) = part.split_at(digits);
            out.push_str(if k > 0 { "$" } else { "" });
            // The first part of a name says what it is for: `$0\state_q` is the next value of a register.
            if k > 1 && digits > 0 && !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
                let next = numbers.len() + 1;
                out.push_str(&numbers.entry(number).or_insert(next).to_string());
                out.push_str(rest);
            } else {
                out.push_str(part);
            }
        }
    }
    (out, numbers.len() + 1)
}

impl Module<'_> {
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Ports and parameters only.
    fn stub(&self) -> String {
        let mut text = String::new();
        if !self.black_box {
            text.push_str("attribute \\blackbox 1\n");
        }
        let mut inside = false;
        for line in self.text.split_inclusive('\n') {
            inside |= line.starts_with("module ");
            let port =
                line.starts_with("  wire ") && [" input ", " output ", " inout "].iter().any(|w| line.contains(w));
            if !inside || line.starts_with("module ") || line.starts_with("  parameter ") || port {
                text.push_str(line);
            }
        }
        text.push_str("end\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# Generated by Yosys
autoidx 77
attribute \src "top.sv:1"
module \top
  attribute \src "top.sv:2"
  wire width 3 input 1 \a_i
  wire \inside
  cell $paramod\hf_a\N=s32'1 \i_a
    connect \a_i \a_i
  end
  cell \ram \i_ram
    connect \a_i \inside
  end
  cell $and $and$top.sv:3$71
    connect \A { \inside $0\a [2:1] \f$func$top.sv:2$9.$result }
    connect \Y $and$top.sv:3$71_Y
  end
  cell $not $not$top.sv:4$8
    connect \A $and$top.sv:3$71_Y
  end
end
module $paramod\hf_a\N=s32'1
  parameter \N 1
  wire width 3 input 1 \a_i
  wire \own
end
attribute \blackbox 1
module \ram
  wire input 1 \a_i
end
module $abstract\hf_a
end
"#;

    #[test]
    fn a_module_alone_sees_the_ports_of_those_in_it() {
        let design = Design::parse(TEXT).unwrap();
        assert_eq!(design.modules.keys().collect::<Vec<_>>(), [&r"$paramod\hf_a\N=s32'1", &"ram", &"top"]);
        assert_eq!(design.below("top"), [r"$paramod\hf_a\N=s32'1", "top"]);
        let expected = r"autoidx 4
attribute \blackbox 1
module $paramod\hf_a\N=s32'1
  parameter \N 1
  wire width 3 input 1 \a_i
end
attribute \blackbox 1
module \ram
  wire input 1 \a_i
end
";
        let top = &TEXT[TEXT.find("attribute").unwrap()..TEXT.find("module $paramod").unwrap()];
        let counted_again = top.replace("$71", "$1").replace("$9", "$2").replace("$8", "$3");
        assert_eq!(design.alone("top"), format!("{expected}{counted_again}"));
        // Behind other modules.
        let later = TEXT.replace("$71", "$904").replace("$8", "$71").replace("autoidx 77", "autoidx 1000");
        assert_eq!(Design::parse(&later).unwrap().alone("top"), design.alone("top"));
    }

    #[test]
    fn a_module_that_is_not_there_is_an_error() {
        let error = Design::parse(&TEXT.replace("module \\ram", "module \\rom")).err().unwrap().to_string();
        assert!(error.contains("`ram`"), "{error}");
    }
}
