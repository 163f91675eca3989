use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};

use super::{OnnxError, from_bytes, read};
use crate::network::{Network, Node, device, folded, values};

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

/// The network that `script/torch/small_onnx.py` writes, which uses every operation.
#[test]
fn every_operation_computes_what_onnx_does() {
    let (graph, weights) = read(&file("small.onnx")).unwrap();
    let text = std::fs::read_to_string(file("small.json")).unwrap();
    let expected: BTreeMap<String, Vec<f32>> = serde_json::from_str(&text).unwrap();
    let picture: Vec<f32> = (0..3 * 16 * 16).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
    let picture = || Tensor::<4>::from_data(TensorData::new(picture.clone(), [1, 3, 16, 16]), &device());
    let folded = folded(&graph, &weights);
    assert!(folded.0.nodes().len() < graph.nodes().len(), "normalisations are folded");
    for (graph, weights) in [(graph, weights), folded] {
        // In the network's order, so that the first operation that differs is named.
        for (node, Node { name, .. }) in graph.nodes().iter().enumerate() {
            let Some(expected) = expected.get(name) else { continue };
            let found = values(Network::new(graph.clone(), &weights).forward(picture(), &[node]).remove(0));
            // Some values, as far apart as they are in the file.
            let found = found.iter().step_by((found.len() / 8).max(1));
            for (found, expected) in found.zip(expected) {
                assert!(
                    (found - expected).abs() <= 1e-4 * expected.abs().max(0.1),
                    "{name}: {found}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn operations_that_are_not_supported_are_named() {
    let bytes = std::fs::read(file("small.onnx")).unwrap();
    // Names are as long as before, so that no lengths change.
    let changed = |from: &str, to: &str| {
        let mut bytes = bytes.clone();
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        from_bytes(&bytes, Path::new("a.onnx")).unwrap_err().to_string()
    };
    let text = changed("Sigmoid", "Hardish");
    assert!(
        text.contains("Hardish (such as the node sigmoid)") && text.contains("Supported are Add, "),
        "{text}"
    );
    let text = changed("SAME_UPPER", "SAME_LOWER");
    assert!(text.contains("the node wide (Conv)") && text.contains("SAME_UPPER is"), "{text}");
}

#[test]
fn damaged_files_are_refused() {
    let bytes = std::fs::read(file("small.onnx")).unwrap();
    let refused = |bytes: &[u8]| matches!(from_bytes(bytes, Path::new("a")), Err(OnnxError::Damaged { .. }));
    assert!(refused(b"") && refused(b"nonsense") && refused(&bytes[..bytes.len() / 2]));
    assert!(matches!(read(Path::new("/nonexistent.onnx")), Err(OnnxError::Read { .. })));
}
