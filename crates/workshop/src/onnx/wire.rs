//! The encoding of protocol buffers, as far as ONNX files use it.

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// The bytes end within a field, or are no message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// The fields of a message, in order.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first().ok_or(Damaged)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    fn bytes(&mut self, count: u64) -> Result<&'a [u8], Damaged> {
        let count = usize::try_from(count).map_err(|_| Damaged)?;
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        self.bytes(N as u64)?.try_into().map_err(|_| Damaged)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), Damaged> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => Value::Fixed64(self.fixed()?),
            2 => {
                let count = self.number()?;
                Value::Bytes(self.bytes(count)?)
            }
            5 => Value::Fixed32(self.fixed()?),
            _ => return Err(Damaged),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            // Nothing after a damaged field can be understood.
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Value<'a> {
    pub fn message(self) -> Result<&'a [u8], Damaged> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Damaged),
        }
    }

    pub fn text(self) -> Result<String, Damaged> {
        Ok(String::from_utf8_lossy(self.message()?).into_owned())
    }

    pub fn integer(self) -> Result<i64, Damaged> {
        match self {
            Self::Number(number) => Ok(number as i64),
            _ => Err(Damaged),
        }
    }

    pub fn float(self) -> Result<f32, Damaged> {
        match self {
            Self::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(Damaged),
        }
    }

    /// Adds one whole number, or all of a packed list.
    pub fn integers(self, list: &mut Vec<i64>) -> Result<(), Damaged> {
        let Self::Bytes(bytes) = self else {
            list.push(self.integer()?);
            return Ok(());
        };
        let mut packed = Fields(bytes);
        while !packed.0.is_empty() {
            list.push(packed.number()? as i64);
        }
        Ok(())
    }

    /// Adds one number, or all of a packed list.
    pub fn floats(self, list: &mut Vec<f32>) -> Result<(), Damaged> {
        match self {
            Self::Bytes(bytes) => {
                list.extend(bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)));
            }
            _ => list.push(self.float()?),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_damage_is_seen() {
        // Field 1 is 300, field 2 is "ab", field 3 is 1.0.
        let bytes = [0x08, 0xac, 0x02, 0x12, 2, b'a', b'b', 0x1d, 0, 0, 0x80, 0x3f];
        let fields: Vec<_> = Fields(&bytes).map(Result::unwrap).collect();
        assert_eq!(fields[0], (1, Value::Number(300)));
        assert_eq!(fields[1], (2, Value::Bytes(b"ab")));
        assert_eq!(fields[2].1.float(), Ok(1.0));
        assert!(Fields(&bytes[..6]).any(|field| field == Err(Damaged)));
        assert!(Fields(&[0xff; 12]).any(|field| field == Err(Damaged)));
        let mut list = Vec::new();
        Value::Bytes(&[1, 0xac, 0x02]).integers(&mut list).unwrap();
        Value::Number(u64::MAX).integers(&mut list).unwrap();
        assert_eq!(list, [1, 300, -1]);
    }
}
