//! The Python examples in `docs/examples` write networks that load, and that say what they said in Python.

mod common;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use hafnia::{data, network, reference};
use ndarray::{Array1, Array2};
use ndarray_npy::read_npy;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name)
}

fn run(command: &mut Command) {
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The FPGA's network, classified by hardware: every class, and the sign of every score.
#[test]
fn bnn_pynq_lfc() {
    let (Some(mnist), Some(arrays)) = (common::data("mnist"), common::data("bnn-pynq")) else { return };
    let Some(python) = common::python("conversion of BNN-PYNQ's LFC") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lfc.safetensors");
    let npz = arrays.join("lfc_w1a1_mnist.npz");
    run(Command::new(python).arg(example("bnn_pynq_to_hafnia.py")).args([&npz, &path]));
    let expected = "import sys, numpy as np; d = np.load(sys.argv[1]); \
        np.save(sys.argv[2] + '/classes.npy', d['pred_margin'].astype(np.int64)); \
        np.save(sys.argv[2] + '/bits.npy', d['last_bits'])";
    run(Command::new(python).args(["-c", expected]).arg(&npz).arg(folder.path()));
    let classes: Array1<i64> = read_npy(folder.path().join("classes.npy")).unwrap();
    let bits: Array2<u8> = read_npy(folder.path().join("bits.npy")).unwrap();

    let network = network::load(&path).unwrap();
    assert_eq!((network.name.as_str(), network.layers.len()), ("lfc", 4));
    let set = data::open("mnist", Some(&mnist)).unwrap();
    set.check_fits(&network.input.shape).unwrap();
    let images: Vec<&[u8]> = (0..set.len()).map(|i| set.image(i)).collect();
    let start = Instant::now();
    let evaluations = reference::evaluate_all(&network, &images, |_| {});
    println!("{} images in {:?}", images.len(), start.elapsed());

    let labels = set.labels.as_ref().unwrap();
    let mut correct = 0;
    for (i, evaluation) in evaluations.iter().enumerate() {
        assert_eq!(evaluation.class as i64, classes[i], "image {i}");
        for (class, score) in evaluation.scores.iter().enumerate() {
            assert_eq!(score.fract(), 0.0, "image {i}: popcount - t3 is whole");
            assert_eq!(u8::from(*score >= 0.0), bits[[i, class]], "image {i}, class {class}");
        }
        correct += usize::from(evaluation.class == labels[i]);
    }
    assert_eq!(correct, 9834);
}

/// Random PyTorch-like arrays, and their network evaluated by NumPy.
const MLP: &str = r#"
import sys, numpy as np
folder, rng, state, sides = sys.argv[1], np.random.default_rng(7), {}, [784, 96, 80, 10]
images = rng.integers(0, 256, (200, 784)).astype(np.uint8)
x = 2.0 * images - 255
for k in range(3):
    w, b = rng.standard_normal((sides[k + 1], sides[k])).astype(np.float32), rng.standard_normal(sides[k + 1])
    w[0, 0] = 0
    g, h, m = rng.standard_normal((3, sides[k + 1]))
    v = rng.random(sides[k + 1]) + 0.5
    state |= {f"{3 * k}.weight": w, f"{3 * k}.bias": b, f"{3 * k + 1}.weight": g, f"{3 * k + 1}.bias": h}
    state |= {f"{3 * k + 1}.running_mean": m, f"{3 * k + 1}.running_var": v}
    s = x @ np.where(w >= 0, 1.0, -1.0).T
    y = g * ((s / 255 if k == 0 else s) + b - m) / np.sqrt(v + 1e-5) + h
    x = np.where(y >= 0, 1.0, -1.0)
np.savez(folder + "/model.npz", **state)
np.save(folder + "/images.npy", images)
np.save(folder + "/images.labels.npy", y.argmax(1))
np.save(folder + "/scores.npy", y)
"#;

#[test]
fn pytorch_state_dict() {
    let Some(python) = common::python("conversion of a PyTorch state dict") else { return };
    let folder = tempfile::tempdir().unwrap();
    run(Command::new(python).args(["-c", MLP]).arg(folder.path()));
    let path = folder.path().join("mlp.safetensors");
    run(Command::new(python).arg(example("pytorch_to_hafnia.py")).arg(folder.path().join("model.npz")).arg(&path));

    let network = network::load(&path).unwrap();
    let names: Vec<&str> = network.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["fc1", "fc2", "fc3"]);
    let set = data::open(folder.path().join("images.npy").to_str().unwrap(), None).unwrap();
    let images: Vec<&[u8]> = (0..set.len()).map(|i| set.image(i)).collect();
    let scores: Array2<f64> = read_npy(folder.path().join("scores.npy")).unwrap();
    let evaluations = reference::evaluate_all(&network, &images, |_| {});
    for (i, evaluation) in evaluations.iter().enumerate() {
        assert_eq!(evaluation.class, set.labels.as_ref().unwrap()[i], "image {i}");
        for (class, score) in evaluation.scores.iter().enumerate() {
            assert!((score - scores[[i, class]]).abs() < 1e-9, "image {i}, class {class}");
        }
    }
}

/// The page shows the function as it is.
#[test]
fn network_format_page_shows_write_network() {
    let read = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let code = read("docs/examples/write_network.py");
    let shown = &code[code.find("TYPES").unwrap()..];
    assert!(
        read("docs/network-format.md").contains(shown),
        "copy write_network of docs/examples/write_network.py into docs/network-format.md"
    );
}
