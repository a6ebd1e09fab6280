//! Typed access to a node's attributes; unknown ones are refused, since they may change what the node means.

use super::proto::{AttributeProto, NodeProto, TensorProto, attribute_type as kind};

pub struct Attributes<'a>(&'a [AttributeProto]);

impl<'a> Attributes<'a> {
    /// The attributes of a node that may have those named.
    pub fn of(node: &'a NodeProto, known: &[&str]) -> Result<Self, String> {
        for (at, attribute) in node.attribute.iter().enumerate() {
            let name = &attribute.name;
            if !known.contains(&name.as_str()) {
                return Err(format!("its attribute {:?} is not known here, so its effect is not either", short(name)));
            }
            if node.attribute[..at].iter().any(|a| a.name == *name) {
                return Err(format!("has attribute {name:?} twice"));
            }
        }
        Ok(Self(&node.attribute))
    }

    fn get(&self, name: &str, kind: i32) -> Result<Option<&'a AttributeProto>, String> {
        match self.0.iter().find(|a| a.name == name) {
            Some(a) if a.r#type != kind => Err(format!("its attribute {name:?} has the wrong type")),
            found => Ok(found),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|a| a.name == name)
    }

    pub fn int(&self, name: &str, absent: i64) -> Result<i64, String> {
        Ok(self.get(name, kind::INT)?.map_or(absent, |a| a.i))
    }

    pub fn flag(&self, name: &str, absent: bool) -> Result<bool, String> {
        Ok(self.int(name, absent.into())? != 0)
    }

    pub fn float(&self, name: &str, absent: f32) -> Result<f32, String> {
        match self.get(name, kind::FLOAT)?.map_or(absent, |a| a.f) {
            v if v.is_finite() => Ok(v),
            v => Err(format!("its attribute {name:?} is {v}")),
        }
    }

    pub fn ints(&self, name: &str) -> Result<Option<&'a [i64]>, String> {
        Ok(self.get(name, kind::INTS)?.map(|a| a.ints.as_slice()))
    }

    pub fn floats(&self, name: &str) -> Result<Option<&'a [f32]>, String> {
        Ok(self.get(name, kind::FLOATS)?.map(|a| a.floats.as_slice()))
    }

    pub fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>, String> {
        Ok(self.get(name, kind::TENSOR)?.and_then(|a| a.t.as_ref()))
    }

    pub fn string(&self, name: &str, absent: &'a str) -> Result<&'a str, String> {
        match self.get(name, kind::STRING)? {
            None => Ok(absent),
            Some(a) => std::str::from_utf8(&a.s).map_err(|_| format!("its attribute {name:?} is not text")),
        }
    }
}

/// A name from the file, short enough for a message.
pub fn short(name: &str) -> &str {
    match name.char_indices().nth(60) {
        Some((end, _)) => &name[..end],
        None => name,
    }
}
