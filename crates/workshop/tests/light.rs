//! The graphs of published networks are read. They come with the package onnx, with all weights equal. `script/torch-reference` runs this
//! with their folder in `WEBER_LIGHT_ONNX`.

use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use weber_workshop::network::{Network, device, folded};
use weber_workshop::onnx;

fn file(name: &str) -> PathBuf {
    let folder = std::env::var_os("WEBER_LIGHT_ONNX").expect("WEBER_LIGHT_ONNX names the folder");
    Path::new(&folder).join(format!("light_{name}.onnx"))
}

#[test]
fn published_graphs_are_read() {
    for name in ["inception_v1", "inception_v2", "resnet50", "squeezenet", "densenet121", "bvlc_alexnet"] {
        let (graph, weights) = onnx::read(&file(name)).unwrap_or_else(|error| panic!("{error}"));
        let (graph, weights) = folded(&graph, &weights);
        let end = graph.nodes().len() - 1;
        let input = Tensor::<4>::full([1, 3, 224, 224], 0.1, &device());
        let output = Network::new(graph, &weights).forward(input, &[end]).remove(0);
        let found: Vec<f32> = output.into_data().try_to_vec().expect("tensors hold 32-bit numbers");
        assert_eq!(found.len(), 1000, "{name}");
        assert!(found.iter().all(|value| value.is_finite()), "{name}");
    }
}

#[test]
fn operations_that_are_not_supported_are_named() {
    let error = onnx::read(&file("shufflenet")).expect_err("Transpose is not supported").to_string();
    assert!(error.contains("Transpose (such as the node "), "{error}");
}
