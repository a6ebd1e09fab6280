//! Network files: what is written is read back, and whatever is wrong with one is named, never a panic.

use std::path::{Path, PathBuf};

use hafnia::network::{
    Activation, Cut, Input, InputCode, InputValues, Layer, Network, NetworkError, Normalize, Op, WeightKind, Weights,
    is_name, load, save,
};
use ndarray::Array2;
use serde_json::{Value, json};
use tempfile::TempDir;

// ---- files built by hand, as any tool might write them

/// A `.safetensors` file in pieces.
#[derive(Clone)]
struct File {
    topology: Value,
    tensors: Vec<(String, &'static str, Vec<usize>, Vec<u8>)>,
}

impl File {
    fn bytes(&self) -> Vec<u8> {
        self.with_text(&self.topology.to_string())
    }

    fn with_text(&self, topology: &str) -> Vec<u8> {
        let (mut header, mut data) = (json!({"__metadata__": {"hafnia": topology}}), Vec::new());
        for (name, dtype, shape, bytes) in &self.tensors {
            let offsets = [data.len(), data.len() + bytes.len()];
            header[name] = json!({"dtype": dtype, "shape": shape, "data_offsets": offsets});
            data.extend(bytes);
        }
        container(&header.to_string(), &data)
    }

    fn set(&mut self, name: &str, dtype: &'static str, shape: &[usize], bytes: Vec<u8>) {
        self.tensors.retain(|t| t.0 != name);
        self.tensors.push((name.into(), dtype, shape.to_vec(), bytes));
    }
}

fn container(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Two layers: 3 inputs, 2 ternary neurons, 2 scores.
fn good() -> File {
    let topology = json!({
        "format": 1,
        "name": "tiny",
        "input": {"shape": [3], "code": "u8", "values": {"affine": [2, -255]}},
        "layers": [
            {
                "name": "fc1",
                "op": "dense",
                "weights": {"tensor": "fc1.weight", "kind": "ternary", "scale": 0.5},
                "bias": "fc1.bias",
                "normalize": {"batch_norm": {
                    "gamma": "fc1.gamma", "beta": 0.5, "mean": 0, "variance": 1, "epsilon": 1e-5
                }},
                "activation": {"dead_zone": {"delta": 0.25}},
            },
            {
                "name": "fc2",
                "op": "dense",
                "weights": {"tensor": "fc2.weight", "kind": "bipolar", "packed": 2},
                "activation": {"scores": {}},
            },
        ],
    });
    let mut file = File { topology, tensors: Vec::new() };
    file.set("fc1.weight", "I8", &[2, 3], vec![1, 0, 255, 255, 1, 1]);
    file.set("fc1.bias", "F32", &[2], f32s(&[0.5, -0.5]));
    file.set("fc1.gamma", "F32", &[2], f32s(&[1.0, -1.0]));
    file.set("fc2.weight", "U8", &[2, 1], vec![0b01, 0b11]);
    file
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("net.safetensors")
    }

    fn load(&self, bytes: &[u8]) -> Result<Network, NetworkError> {
        std::fs::write(self.path(), bytes).unwrap();
        load(&self.path())
    }
}

/// Loads, expects a failure that names the file and says all of `parts`.
fn refused(bytes: &[u8], parts: &[&str]) {
    let folder = Folder::new();
    let error = folder.load(bytes).expect_err(&parts.join(", ")).to_string();
    assert!(error.starts_with(&folder.path().display().to_string()), "names the file: {error}");
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

/// The good file after a change is refused.
fn bad(change: impl FnOnce(&mut File), parts: &[&str]) {
    let mut file = good();
    change(&mut file);
    refused(&file.bytes(), parts);
}

#[test]
fn a_file_by_hand_is_understood() {
    let network = Folder::new().load(&good().bytes()).unwrap();
    assert_eq!((network.name.as_str(), network.input_len(), network.classes()), ("tiny", 3, 2));
    let [first, last] = &network.layers[..] else { panic!() };
    assert_eq!(first.weights.values, ndarray::arr2(&[[1, 0, -1], [-1, 1, 1]]));
    assert_eq!((&first.weights.scale[..], &first.bias[..]), (&[0.5; 2][..], &[0.5, -0.5][..]));
    let Normalize::BatchNorm { gamma, beta, .. } = &first.normalize else { panic!() };
    assert_eq!((&gamma[..], &beta[..]), (&[1.0, -1.0][..], &[0.5; 2][..]));
    let cut = |at: f64| Cut { at: vec![at; 2], strict: true };
    assert_eq!(first.activation, Activation::Ternary { above: cut(0.25), below: cut(-0.25) });
    assert_eq!(last.weights.values, ndarray::arr2(&[[1, -1], [1, 1]]), "bit 0 is the first input");
    assert_eq!(last.normalize, Normalize::None);
}

/// The topology that the page on the format shows, with tensors of its names.
#[test]
fn the_example_of_the_page_is_a_network() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/network-format.md")).unwrap();
    let (_, rest) = page.split_once("```json\n").unwrap();
    let topology: Value = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
    let mut file = File { topology, tensors: Vec::new() };
    file.set("fc1.weight", "I8", &[16, 784], vec![1; 16 * 784]);
    for name in ["bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"] {
        file.set(name, "F32", &[16], f32s(&[1.0; 16]));
    }
    file.set("fc2.weight", "F32", &[10, 16], f32s(&[-1.0; 160]));
    file.set("fc2.bias", "F32", &[10], f32s(&[0.0; 10]));
    assert_eq!(Folder::new().load(&file.bytes()).unwrap().layers[0].weights.scale[0], 1.0 / 255.0);
}

// ---- round trips

fn layer(name: &str, kind: WeightKind, neurons: usize, inputs: usize) -> Layer {
    let value = |(j, i): (usize, usize)| {
        let v = (j * 31 + i * 17 + j * i) % 256;
        match kind {
            WeightKind::Bipolar => [-1, 1][v % 2],
            WeightKind::Ternary => [-1, 0, 1][v % 3],
            WeightKind::Int8 => v as u8 as i8,
        }
    };
    let weights = Weights { kind, values: Array2::from_shape_fn((neurons, inputs), value), scale: vec![1.0; neurons] };
    let bias = vec![0.0; neurons];
    Layer {
        name: name.into(),
        op: Op::Dense,
        pool: None,
        blocks: Vec::new(),
        weights,
        bias,
        normalize: Normalize::None,
        activation: Activation::Scores,
    }
}

fn spread(n: usize, from: f64) -> Vec<f64> {
    (0..n).map(|i| from + i as f64 / 3.0).collect()
}

fn networks() -> Vec<Network> {
    let batch_norm = |n| Normalize::BatchNorm {
        gamma: spread(n, -1.0),
        beta: spread(n, 0.1),
        mean: spread(n, -2.0),
        variance: spread(n, 0.0),
        epsilon: 1e-5,
    };
    let affine = |n| Normalize::Affine { gain: spread(n, 0.3), shift: vec![-0.0; n] };
    let cut = |at, strict| Cut { at, strict };
    let mut all = Vec::new();
    let inputs = [
        InputCode::U8(InputValues::Affine { gain: 2, offset: -255 }),
        InputCode::U8(InputValues::Table((-128..128).collect())),
        InputCode::I8(InputValues::Threshold { at: -3 }),
        InputCode::Bipolar,
    ];
    for (kind, code) in [WeightKind::Bipolar, WeightKind::Ternary, WeightKind::Int8]
        .into_iter()
        .flat_map(|kind| inputs.iter().map(move |code| (kind, code.clone())))
    {
        // 9 and 17 do not fill their last byte
        let mut first = layer("first", kind, 9, 15);
        first.weights.scale = spread(9, 0.5);
        first.bias = spread(9, -1.0);
        first.normalize = batch_norm(9);
        first.activation = Activation::Bipolar { threshold: spread(9, 0.0) };
        let mut second = layer("second", kind, 17, 9);
        second.normalize = affine(17);
        second.activation =
            Activation::Ternary { above: cut(vec![0.5; 17], false), below: cut(spread(17, -7.0), true) };
        let last = layer("last", kind, 3, 17);
        let input = Input { shape: vec![3, 5], code };
        all.push(Network::new("trip", input, vec![first, second, last]).unwrap());
    }
    all
}

#[test]
fn what_is_saved_is_loaded_and_saves_to_the_same_bytes() {
    let folder = Folder::new();
    let again = folder.0.path().join("again.safetensors");
    for network in networks() {
        save(&network, &folder.path()).unwrap();
        let loaded = load(&folder.path()).unwrap();
        assert_eq!(loaded, network);
        save(&loaded, &again).unwrap();
        assert!(std::fs::read(&again).unwrap() == std::fs::read(folder.path()).unwrap(), "{:?}", network.input);
    }
    let names: Vec<_> = folder.0.path().read_dir().unwrap().collect();
    assert_eq!(names.len(), 2, "nothing else is left behind");
}

#[test]
fn negative_zero_keeps_its_sign() {
    let folder = Folder::new();
    save(&networks()[0], &folder.path()).unwrap();
    let Normalize::Affine { shift, .. } = &load(&folder.path()).unwrap().layers[1].normalize else { panic!() };
    assert!(shift.iter().all(|s| s.to_bits() == (-0.0f64).to_bits()));
}

#[test]
fn a_failed_save_names_its_file() {
    let error = save(&networks()[0], Path::new("no/such/folder/x.safetensors")).unwrap_err().to_string();
    assert!(error.contains("no/such/folder/x.safetensors: cannot write"), "{error}");
}

// ---- the container

#[test]
fn every_truncation_is_an_error() {
    let whole = good().bytes();
    for length in 0..whole.len() {
        refused(&whole[..length], &["not a usable .safetensors file", "cut short"]);
    }
    refused(&[&whole[..], b"x"].concat(), &["not a usable .safetensors file"]);
}

#[test]
fn no_flipped_byte_panics() {
    let folder = Folder::new();
    let whole = good().bytes();
    for at in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            if let Err(error) = folder.load(&bytes) {
                assert!(error.to_string().contains("net.safetensors"), "{error}");
            }
        }
    }
}

#[test]
fn corrupt_headers_are_refused() {
    let damaged = &["not a usable .safetensors file", "damaged"][..];
    refused(&u64::MAX.to_le_bytes(), damaged);
    refused(&container("", &[]), damaged);
    refused(&container("{", &[]), damaged);
    refused(&container("[1, 2]", &[]), damaged);
    refused(&container("{\"a\": {\"dtype\": \"I8\", \"shape\": [9], \"data_offsets\": [0, 1]}}", &[1]), damaged);
    let offsets = "{\"a\": {\"dtype\": \"I8\", \"shape\": [1], \"data_offsets\": [18446744073709551615, 0]}}";
    refused(&container(offsets, &[1]), damaged);
    refused(&container("{}", &[]), &["no `hafnia` entry", "docs/network-format.md"]);
    refused(&container(&"[".repeat(100_000), &[]), damaged);
    let missing = load(Path::new("no_such.safetensors")).unwrap_err().to_string();
    assert!(missing.contains("no_such.safetensors: cannot read"), "{missing}");
}

#[test]
fn sides_without_data_cost_no_memory() {
    for shape in [[1 << 60, 0], [0, 1 << 60], [0, 0]] {
        bad(|f| f.set("fc1.weight", "I8", &shape, vec![]), &["fc1", "each must be 1 to 65536"]);
    }
    for inputs in [0usize, usize::MAX] {
        let change = |f: &mut File| {
            f.topology["layers"][1]["weights"]["packed"] = json!(inputs);
            f.set("fc2.weight", "U8", &[0, inputs.div_ceil(8)], vec![]);
        };
        bad(change, &["fc2", "each must be 1 to 65536"]);
    }
    bad(|f| f.topology["input"]["shape"] = json!([1u64 << 40, 1u64 << 40]), &["input: shape"]);
}

// ---- the topology

/// Replaces text of the topology, so that it need not stay JSON.
fn bad_text(from: &str, to: &str, parts: &[&str]) {
    let file = good();
    let text = file.topology.to_string();
    assert!(text.contains(from), "{text}");
    refused(&file.with_text(&text.replacen(from, to, 1)), parts);
}

#[test]
fn unknown_keys_and_words_get_a_place_and_a_suggestion() {
    bad_text("\"activation\"", "\"activaton\"", &["layers[0].activaton", "did you mean `activation`?"]);
    bad_text("\"tensor\"", "\"tensr\"", &["layers[0].weights.tensr", "did you mean `tensor`?"]);
    bad_text("\"layers\"", "\"layer\"", &["unknown field `layer`", "did you mean `layers`?"]);
    bad_text("\"gamma\"", "\"gama\"", &["layers[0].normalize", "did you mean `gamma`?"]);
    bad_text("\"delta\"", "\"dleta\"", &["layers[0].activation", "did you mean `delta`?"]);
    bad_text("\"dead_zone\"", "\"deadzone\"", &["layers[0].activation", "did you mean `dead_zone`?"]);
    bad_text("\"ternary\"", "\"trenary\"", &["layers[0].weights.kind", "did you mean `ternary`?"]);
    bad_text("\"u8\"", "\"u16\"", &["input.code", "`u8`, `i8`"]);
    bad_text("\"affine\"", "\"afine\"", &["input.values", "did you mean `affine`?"]);
    bad_text("\"dense\"", "\"softmax\"", &["layers[0].op", "unknown variant `softmax`", "`dense`"]);
}

#[test]
fn values_of_the_wrong_type_are_placed() {
    bad_text("\"mean\":0", "\"mean\":[0]", &["layers[0].normalize", "a number, or the name of a tensor"]);
    bad_text("{\"scores\":{}}", "\"scores\"", &["layers[1].activation", "{\"scores\": {}}"]);
    bad_text("[2,-255]", "[2]", &["input.values"]);
    bad_text("[2,-255]", "[2.5,0]", &["input.values"]);
    bad_text("\"delta\":0.25", "\"delta\":NaN", &["expected value"]);
    bad_text("\"delta\":0.25", "\"delta\":1e999", &["number out of range"]);
    bad_text("\"name\":\"fc1\"", "\"name\":\"fc1\",\"name\":\"fc1\"", &["layers[0]", "duplicate field `name`"]);
    bad_text("\"op\":\"dense\",", "", &["layers[0]", "missing field `op`"]);
    bad_text("{\"format\"", "{{\"format\"", &["topology"]);
    let file = good();
    refused(&file.with_text(""), &["topology"]);
    refused(&file.with_text(&"[".repeat(100_000)), &["topology"]);
    refused(&file.with_text(&(file.topology.to_string() + "x")), &["trailing"]);
}

#[test]
fn a_later_format_is_refused_before_its_unknown_keys() {
    let later = &["format 2 is not known", "reads format 1"];
    bad(|f| f.topology = json!({"format": 2, "graph": {}}), later);
    bad(|f| f.topology["format"] = json!(0), &["format 0 is not known"]);
    bad(|f| f.topology["format"] = json!("1"), &["format", "expected u32"]);
    bad(|f| drop(f.topology.as_object_mut().unwrap().remove("format")), &["missing field `format`"]);
}

#[test]
fn names_must_suit_verilog_and_paths() {
    let long = "a".repeat(100);
    let broken = [
        "a b", "../x", "module;", "", &long, "1st", "a-b", "a/b", "a\\b", "a.b", "_a", "a_", "a__b", "é", "a\n", "a\0",
        "$a",
    ];
    for name in broken {
        assert!(!is_name(name), "{name:?}");
        bad(|f| f.topology["layers"][0]["name"] = json!(name), &["cannot stand in Verilog and file names"]);
        bad(|f| f.topology["name"] = json!(name), &["network: the name", "cannot stand"]);
    }
    for word in ["module", "logic", "input", "reg", "wire", "always_ff", "final", "table", "endmodule"] {
        assert!(!is_name(word), "{word}");
        let (place, other) = (format!("layer `{word}`"), format!("`{word}_1`"));
        bad(|f| f.topology["layers"][0]["name"] = json!(word), &[&place, "reserved word", &other]);
        bad(|f| f.topology["name"] = json!(word), &["network", "reserved word"]);
    }
    for name in ["fc1", "Conv_2", "x", &long[..48], "module_1", "modules"] {
        assert!(is_name(name), "{name}");
    }
}

/// Reports and nets call the pipeline's own stages so.
#[test]
fn names_of_other_stages_are_no_layer_names() {
    let stage = ["names another stage of every design", "call the layer something else"];
    let word = ["reserved word of SystemVerilog", "use another, such as `output_1`"];
    for (name, reason) in [("image", stage), ("scores", stage), ("output", word)] {
        let place = format!("layer `{name}`: ");
        for layer in [0, 1] {
            bad(|f| f.topology["layers"][layer]["name"] = json!(name), &[&[&place[..]], &reason[..]].concat());
        }
    }
    for name in ["image", "scores"] {
        let mut file = good();
        file.topology["name"] = json!(name);
        assert_eq!(Folder::new().load(&file.bytes()).unwrap().name, name, "a network is no stage");
    }
}

#[test]
fn layers_must_fit_together() {
    bad(|f| f.topology["layers"][1]["name"] = json!("fc1"), &["layer `fc1`", "give each its own"]);
    bad(|f| f.topology["layers"][1]["name"] = json!("FC1"), &["layer `FC1`", "letter case aside"]);
    bad(|f| f.topology["layers"] = json!([]), &["no layers"]);
    bad(|f| f.topology["input"]["shape"] = json!([4]), &["layer `fc1`", "take 3 inputs but the input gives 4"]);
    bad(|f| f.topology["input"]["shape"] = json!([]), &["input: shape []"]);
    bad(|f| f.topology["input"]["shape"] = json!([3, 0]), &["input: shape [3, 0]"]);
    let scores = json!({"scores": {}});
    bad(|f| f.topology["layers"][0]["activation"] = scores, &["layer `fc1`", "only the last layer"]);
    bad(|f| f.topology["layers"][1]["activation"] = json!({"bipolar": {}}), &["layer `fc2`", "must end in `scores`"]);
    let wide = json!({"tensor": "fc1.weight", "kind": "ternary"});
    bad(|f| f.topology["layers"][1]["weights"] = wide, &["layer `fc2`", "take 3 inputs but layer `fc1` gives 2"]);
}

#[test]
fn input_values_stay_in_range() {
    let values = |v: Value| move |f: &mut File| f.topology["input"]["values"] = v;
    bad(values(json!({"affine": [1, 40000]})), &["input", "+-32768"]);
    bad(values(json!({"table": [1, 2, 3]})), &["table has 3 entries"]);
    bad(values(json!({"table": vec![40000; 256]})), &["table entry 0 is 40000"]);
    bad(|f| f.topology["input"]["code"] = json!("bipolar"), &["`values` has no meaning for `bipolar`"]);
    let inputs = 65536;
    let change = |f: &mut File| {
        f.topology["input"] = json!({"shape": [inputs], "code": "u8", "values": {"affine": [2, 0]}});
        f.topology["layers"][0]["weights"] = json!({"tensor": "fc1.weight", "kind": "int8"});
        f.set("fc1.weight", "I8", &[2, inputs], vec![127; 2 * inputs]);
    };
    bad(change, &["layer `fc1`", "neuron 0 can reach 4244766720", "beyond 32 bits"]);
}

// ---- tensors

#[test]
fn tensors_that_are_missing_or_misshapen_are_named() {
    let weights = |f: &mut File, name: &str| f.topology["layers"][0]["weights"]["tensor"] = json!(name);
    bad(|f| weights(f, "fc1.wieght"), &["tensor `fc1.wieght`: is not in the file; did you mean `fc1.weight`?"]);
    bad(|f| f.topology["layers"][0]["bias"] = json!("zzz"), &["layer `fc1`: tensor `zzz`: is not in the file"]);
    bad(|f| f.set("fc1.weight", "I8", &[6], vec![1; 6]), &["`fc1.weight`", "shape [6]", "[neurons, inputs]"]);
    bad(|f| f.set("fc1.weight", "I8", &[2, 3, 1], vec![1; 6]), &["shape [2, 3, 1]"]);
    let kernel = |f: &mut File, sides: [u64; 2], pad: [u64; 4]| {
        f.topology["input"]["shape"] = json!([1, 1, 3]);
        f.topology["layers"][0]["op"] = json!({"conv": {"kernel": sides, "pad": pad}});
    };
    let last = |f: &mut File| {
        kernel(f, [1, 3], [0; 4]);
        f.set("fc1.weight", "I8", &[2, 1, 3, 1], vec![1; 6]);
    };
    bad(last, &["`fc1.weight`", "shape [2, 1, 3, 1], but a 1 x 3 kernel has [neurons, channels, 1, 3]"]);
    // A product that wraps to 3 inputs.
    bad(|f| kernel(f, [(1 << 63) + 1, 3], [1 << 63, 0, 0, 0]), &["layer `fc1`", "each side must be at most 65536"]);
    let transposed = |f: &mut File| f.set("fc1.weight", "I8", &[3, 2], vec![1; 6]);
    bad(transposed, &["`fc1.bias`", "2 values for 3 neurons", "weights are [neurons, inputs]"]);
    let plain = |f: &mut File| {
        transposed(f);
        f.topology["layers"][0]["bias"] = json!(0);
        f.topology["layers"][0]["normalize"] = Value::Null;
    };
    bad(plain, &["layer `fc1`", "take 2 inputs", "transpose them?"]);
    bad(|f| f.set("fc1.weight", "I16", &[2, 3], vec![0; 12]), &["type I16", "I8, F32 or F64"]);
    bad(|f| f.set("fc1.bias", "F32", &[3], f32s(&[0.0; 3])), &["`fc1.bias`", "3 values for 2 neurons"]);
    bad(|f| f.set("fc1.bias", "F32", &[0], vec![]), &["0 values for 2 neurons"]);
    bad(|f| f.set("fc1.bias", "F16", &[2], vec![0; 4]), &["type F16", "use F64, F32"]);
    let large = (1i64 << 60).to_le_bytes().repeat(2);
    bad(|f| f.set("fc1.bias", "I64", &[2], large), &["`fc1.bias`", "2^53"]);
}

#[test]
fn weights_must_be_of_their_kind() {
    bad(|f| f.set("fc1.weight", "I8", &[2, 3], vec![0, 0, 0, 0, 0, 2]), &["weight [1, 2] is 2", "Ternary"]);
    let kind = |f: &mut File| f.topology["layers"][0]["weights"]["kind"] = json!("bipolar");
    bad(kind, &["weight [0, 1] is 0", "Bipolar"]);
    let reals = f32s(&[0.0, 1.0, 0.0, 0.0, 0.5, 0.0]);
    bad(|f| f.set("fc1.weight", "F32", &[2, 3], reals), &["value [1, 1] is 0.5", "whole numbers", "`scale`"]);
    let nan = f32s(&[0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0]);
    bad(|f| f.set("fc1.weight", "F32", &[2, 3], nan), &["value [0, 1] is NaN"]);
    bad(|f| f.set("fc2.weight", "U8", &[2, 2], vec![0; 4]), &["`fc2.weight`", "expected [neurons, 1]"]);
    bad(|f| f.set("fc2.weight", "I8", &[2, 1], vec![0; 2]), &["packed weights have type I8; use U8"]);
    let change = |f: &mut File| {
        f.topology["layers"][1]["weights"]["kind"] = json!("ternary");
        f.set("fc2.weight", "U8", &[2, 2, 1], vec![0b11, 0b01, 0b01, 0b10]);
    };
    bad(change, &["`fc2.weight`", "weight [1, 1] is positive in plane 1 but 0 in plane 0"]);
    bad(|f| f.topology["layers"][1]["weights"]["kind"] = json!("int8"), &["`fc2.weight`", "Int8"]);
}

#[test]
fn reals_must_be_finite_and_make_sense() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let values = f32s(&[0.0, value]);
        bad(|f| f.set("fc1.gamma", "F32", &[2], values), &["`fc1.gamma`: value [1] is", "finite"]);
    }
    let variance =
        |v: f64| move |f: &mut File| f.topology["layers"][0]["normalize"]["batch_norm"]["variance"] = json!(v);
    bad(variance(-1.0), &["layer `fc1`", "variance[0] is -1"]);
    let epsilon = |f: &mut File| f.topology["layers"][0]["normalize"]["batch_norm"]["epsilon"] = json!(-1.0);
    bad(epsilon, &["variance + epsilon must be positive"]);
    let delta = |f: &mut File| f.topology["layers"][0]["activation"]["dead_zone"]["delta"] = json!(-0.5);
    bad(delta, &["layer `fc1`", "overlap"]);
    let cuts =
        |strict: bool| json!({"ternary": {"above": {"at": 1, "strict": strict}, "below": {"at": 1, "strict": false}}});
    bad(|f| f.topology["layers"][0]["activation"] = cuts(false), &["neuron 0 overlap"]);
    let mut touching = good();
    touching.topology["layers"][0]["activation"] = cuts(true);
    Folder::new().load(&touching.bytes()).unwrap();
}
