//! The settings of an operation.

use super::Reason;
use super::proto::{Attribute, Node};
use crate::network::{Padding, Pool};

impl Node {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    pub fn integer(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.integer).unwrap_or(default)
    }

    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).and_then(|attribute| attribute.float).unwrap_or(default)
    }

    /// A number for each of height and width.
    pub fn pair(&self, name: &str, default: Option<usize>) -> Result<[usize; 2], Reason> {
        match (self.attribute(name).map(|attribute| attribute.integers.as_slice()), default) {
            (Some([height, width]), _) => Ok([whole(*height)?, whole(*width)?]),
            (None, Some(default)) => Ok([default; 2]),
            _ => Err(format!("{name} must be two numbers, since pictures have height and width")),
        }
    }

    pub fn padding(&self) -> Result<Padding, Reason> {
        match self.attribute("auto_pad").and_then(|attribute| attribute.text.as_deref()) {
            Some("SAME_UPPER") => Ok(Padding::Same),
            Some("VALID") => Ok(Padding::even(0)),
            Some("SAME_LOWER") => Err("the padding SAME_LOWER is not supported; SAME_UPPER is".into()),
            _ => match self.attribute("pads").map(|attribute| attribute.integers.as_slice()) {
                None => Ok(Padding::even(0)),
                Some([top, left, bottom, right]) => {
                    Ok(Padding::Explicit([whole(*top)?, whole(*left)?, whole(*bottom)?, whole(*right)?]))
                }
                Some(_) => Err("pads must be four numbers, since pictures have height and width".into()),
            },
        }
    }

    pub fn window(&self) -> Result<Pool, Reason> {
        if self.pair("dilations", Some(1))? != [1; 2] {
            return Err("pooling with gaps (dilations) is not supported".into());
        }
        Ok(Pool {
            kernel: self.pair("kernel_shape", None)?,
            stride: self.pair("strides", Some(1))?,
            padding: self.padding()?,
            ceil: self.integer("ceil_mode", 0) == 1,
        })
    }
}

pub(super) fn whole(number: i64) -> Result<usize, Reason> {
    usize::try_from(number).map_err(|_| format!("{number} is negative"))
}
