//! Files of weights that PyTorch wrote: zip files since 1.6, and the older form.

use std::fs::File;
use std::path::Path;

use pytorch_reader::{DType, PytorchReader};
use safetensors::tensor::Dtype;

use super::weights::{Array, Weights, WeightsError, numbers};

/// Reads all arrays of a file. Whole numbers of 64 bits are left out, since they are counters of the training.
pub(super) fn read(path: &Path) -> Result<Weights, WeightsError> {
    let unreadable = |source| WeightsError::Read { path: path.into(), source };
    // A file that cannot be opened is told from one that cannot be understood.
    File::open(path).map_err(unreadable)?;
    let reader = PytorchReader::new(path)
        .map_err(|error| WeightsError::Torch { path: path.into(), reason: error.to_string() })?;
    let mut weights = Weights::default();
    for (name, tensor) in reader.into_tensors().into_iter().filter(|(_, tensor)| tensor.dtype() != DType::I64)
    {
        let bytes = tensor.read().map_err(unreadable)?;
        let values = floating(tensor.dtype()).and_then(|dtype| numbers(dtype, &bytes));
        let values = values.ok_or_else(|| WeightsError::Type {
            path: path.into(),
            name: name.clone(),
            dtype: format!("{:?}", tensor.dtype()),
        })?;
        weights.0.insert(name, Array { shape: tensor.shape().to_vec(), values });
    }
    Ok(weights)
}

fn floating(dtype: DType) -> Option<Dtype> {
    Some(match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that PyTorch 2.15 wrote from `{"a.weight": [[0.5, -2], [3, 0.25]] as 16-bit numbers, "a.bias": [1, 2], "steps": 7}`, in
    /// both forms.
    #[test]
    fn both_forms_of_files_are_read() {
        for file in ["new.pth", "old.pth"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(file);
            let weights = Weights::read(&path).unwrap();
            let array =
                |shape: &[usize], values: &[f32]| Array { shape: shape.into(), values: values.into() };
            let expected = [
                ("a.bias".to_owned(), array(&[2], &[1.0, 2.0])),
                ("a.weight".to_owned(), array(&[2, 2], &[0.5, -2.0, 3.0, 0.25])),
            ];
            assert_eq!(weights, Weights(expected.into()), "{file}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pth");
        assert!(matches!(read(&path), Err(WeightsError::Read { .. })));
        std::fs::write(&path, b"nonsense").unwrap();
        assert!(matches!(read(&path), Err(WeightsError::Torch { .. })));
        assert!(matches!(Weights::read(Path::new("a.h5")), Err(WeightsError::Ending { .. })));
    }
}
