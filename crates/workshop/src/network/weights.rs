//! The numbers of a network, by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use thiserror::Error;

/// An array of numbers, the last dimension varying fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// All arrays of a network, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(pub BTreeMap<String, Array>);

/// Why weights could not be read or written.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a safetensors file: {reason}")]
    Format { path: PathBuf, reason: String },
    #[error(
        "{path} is not a file of weights that PyTorch wrote: {reason}. Save the weights alone, with torch.save(model.state_dict(), FILE)"
    )]
    Torch { path: PathBuf, reason: String },
    #[error("{path} ends in none of .safetensors, .pth and .pt, so its format is not known")]
    Ending { path: PathBuf },
    #[error(
        "{path}: the array {name} has numbers of the type {dtype}, but only F32, F16, BF16 and F64 can be read"
    )]
    Type { path: PathBuf, name: String, dtype: String },
}

impl Weights {
    /// The array of this name.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }

    /// The number of all values.
    pub fn count(&self) -> usize {
        self.0.values().map(|array| array.values.len()).sum()
    }

    /// Reads a file in the format that its ending says.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or has numbers of another type.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("safetensors") => Self::read_safetensors(path),
            Some("pth" | "pt") => super::torch::read(path),
            _ => Err(WeightsError::Ending { path: path.into() }),
        }
    }

    /// Reads a safetensors file.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or has numbers of another type.
    pub fn read_safetensors(path: &Path) -> Result<Self, WeightsError> {
        let bytes = std::fs::read(path).map_err(|source| WeightsError::Read { path: path.into(), source })?;
        Self::from_safetensors(&bytes, path)
    }

    /// [`Self::read_safetensors`] from memory. The path is for error messages.
    ///
    /// # Errors
    /// The bytes are damaged, or have numbers of another type.
    pub fn from_safetensors(bytes: &[u8], path: &Path) -> Result<Self, WeightsError> {
        let format = |reason: String| WeightsError::Format { path: path.into(), reason };
        let file = SafeTensors::deserialize(bytes).map_err(|error| format(error.to_string()))?;
        let mut weights = Self::default();
        for (name, view) in file.iter().filter(|(_, view)| view.dtype() != Dtype::I64) {
            // Whole numbers of 64 bits are counters of the training.
            let values = numbers(view.dtype(), view.data()).ok_or_else(|| WeightsError::Type {
                path: path.into(),
                name: name.into(),
                dtype: format!("{:?}", view.dtype()),
            })?;
            weights.0.insert(name.into(), Array { shape: view.shape().to_vec(), values });
        }
        Ok(weights)
    }

    /// The weights as a safetensors file of 16-bit numbers, with notes such as the training command.
    pub fn to_safetensors_f16(&self, notes: &BTreeMap<String, String>) -> Vec<u8> {
        let halves: Vec<(&String, &Array, Vec<u8>)> = self
            .0
            .iter()
            .map(|(name, array)| {
                let bytes =
                    array.values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
                (name, array, bytes)
            })
            .collect();
        let views = halves.iter().map(|(name, array, bytes)| {
            let view = TensorView::new(Dtype::F16, array.shape.clone(), bytes);
            (name.as_str(), view.expect("two bytes for each value"))
        });
        let notes = Some(notes.clone().into_iter().collect());
        safetensors::serialize(views, notes).expect("arrays with names and shapes can be written")
    }
}

/// Numbers of any of the common types as 32-bit ones.
pub(super) fn numbers(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
    }
    Some(match dtype {
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_survive_a_file() {
        let array = Array { shape: vec![2, 2], values: vec![0.5, -1.25, 3.0, 1e-3] };
        let weights = Weights([("a".to_owned(), array)].into());
        let bytes = weights.to_safetensors_f16(&[("seed".to_owned(), "1".to_owned())].into());
        let read = Weights::from_safetensors(&bytes, Path::new("a.safetensors")).unwrap();
        let (before, after) = (&weights.0["a"], &read.0["a"]);
        assert_eq!(before.shape, after.shape);
        assert_eq!(before.values[..3], after.values[..3]);
        assert!((before.values[3] - after.values[3]).abs() < 1e-6);
    }

    #[test]
    fn damaged_files_are_named() {
        let error = Weights::from_safetensors(b"nonsense", Path::new("a/b.safetensors")).unwrap_err();
        assert!(error.to_string().starts_with("a/b.safetensors is not a safetensors file"), "{error}");
    }
}
