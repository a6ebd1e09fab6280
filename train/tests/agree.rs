//! The trainer's own evaluation and `hafnia`'s, on the exported file, agree in every neuron: small random networks of every
//! kind that recipes can describe.

use hafnia::golden::{Golden, LayerTrace};
use hafnia::hardware::Hardware;
use hafnia_train::checkpoint::{self, Mapping, State};
use hafnia_train::data::Images;
use hafnia_train::random::{Purpose, Stream};
use hafnia_train::{batch, device, evaluate, export, model::Model, recipe::Recipe};

const BASE: &str = r#"
name = "tiny"
seed = 3
input = { affine = [2, -255] }
data = { set = "cifar10" }
quantize = { weights = "bipolar", activations = "bipolar" }
train = { epochs = 1, batch = 8, learning_rate = 0.01, loss = "squared_hinge", temperature = 4.0, init = 0.1 }

[[layers]]
name = "conv1"
op = "conv"
neurons = 6
pad = 1
weights = "int8"

[[layers]]
name = "conv2"
op = "conv"
widths = 5
pad = 1
pool = 2

[[layers]]
name = "conv3"
op = "conv"
neurons = 7
kernel = 2
stride = 2

[[layers]]
name = "fc1"
neurons = 20

[[layers]]
name = "fc2"
neurons = 11

[[layers]]
name = "fc3"
neurons = 10
"#;

/// Images of random bytes.
fn images(count: usize) -> Images {
    let mut stream = Stream::new(9, Purpose::Augment, 0);
    let shape = [2, 9, 8];
    let codes = (0..count * 2 * 9 * 8).map(|_| stream.below(256) as u8).collect();
    let labels = (0..count).map(|_| stream.below(10)).collect();
    Images { shape, largest: 255, codes, labels, indices: (0..count).collect() }
}

/// A model with running statistics from some batches and batch norms of either sign.
fn moved(recipe: &Recipe, images: &Images) -> Model {
    let device = device();
    let mut model = Model::new(recipe, &images.shape, &device).unwrap();
    let mut stream = Stream::new(4, Purpose::Weights, 99);
    for layer in &mut model.layers {
        for norm in layer.blocks.iter_mut().filter_map(|b| b.norm.as_mut()) {
            norm.gamma.update(|v| v.iter_mut().for_each(|g| *g = stream.symmetric(1.5)));
            norm.beta.update(|v| v.iter_mut().for_each(|b| *b = stream.symmetric(0.5)));
        }
        if let Some(rotated) = &mut layer.rotated {
            rotated.gain.update(|v| v.iter_mut().for_each(|g| *g = stream.symmetric(0.5)));
        }
    }
    for _ in 0..3 {
        let x = (0..images.len()).map(|i| images.image(i).into());
        let x = batch::inputs(x, images.values(), &recipe.input.code(), &device);
        model.train(x, 0.5);
    }
    model
}

#[test]
fn both_evaluations_agree_in_every_neuron() {
    let images = images(40);
    let ternary = ["quantize.weights=ternary", "quantize.activations=ternary"];
    let cases: [&[&str]; 9] = [
        &[],
        &ternary,
        &["quantize.scaled=true"],
        &["quantize.rotated=true"],
        &["pool_order=after_activation"],
        &["split.inputs=16"],
        &["split.inputs=16", "pool_order=after_activation", "quantize.scaled=true"],
        &["split.inputs=13", ternary[0], ternary[1]],
        &["scores_norm=true", "split.inputs=20"],
    ];
    let folder = tempfile::tempdir().unwrap();
    for set in cases {
        let set: Vec<String> = set.iter().map(|s| s.to_string()).collect();
        let recipe = Recipe::parse("tiny", BASE, &set).unwrap();
        let model = moved(&recipe, &images);
        let path = folder.path().join("tiny.safetensors");
        let network = export::network("tiny", &images.shape, recipe.input.code(), &model.layers).unwrap();
        hafnia::network::save(&network, &path).unwrap();
        let network = hafnia::network::load(&path).unwrap();
        let both = evaluate::both(&model, &network, &images, &device(), |_| ());
        assert_eq!(both.differences, [], "{set:?}");
        assert_eq!(both.trainer, both.integer);
        // The layers do something: outputs are not all alike.
        assert!(both.trainer.iter().any(|class| *class != both.trainer[0]), "{set:?}");
        let split = set.iter().any(|s| s.starts_with("split"));
        assert_eq!(network.layers[1].blocks.len() > 1, split, "{set:?}");
    }
}

#[test]
fn blocks_are_those_of_the_plan() {
    // conv2: 54 inputs on arrays of 16: 4 blocks, raised to 6; fc1 and fc2 split, too, conv1 and fc3 do not.
    let recipe = Recipe::parse("tiny", BASE, &["split.inputs=16".into()]).unwrap();
    let model = Model::new(&recipe, &[2, 9, 8], &device()).unwrap();
    let sizes = |i: usize| model.layers[i].blocks.iter().map(|b| b.inputs).collect::<Vec<_>>();
    assert_eq!(sizes(0), [18]);
    assert_eq!(sizes(1), [9; 6]);
    assert_eq!(sizes(2), [10, 10]);
    assert_eq!(sizes(4), [10, 10]);
    assert_eq!(sizes(5), [11]);
}

/// Parameter mapping in tensors, on a checkpoint, and in integers, by the plan of the whole network, give the same scores.
#[test]
fn a_mapped_network_votes_as_its_plan_does() {
    let images = images(40);
    let ternary = ["quantize.weights=ternary", "quantize.activations=ternary"];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.checkpoint");
    let mut all = Vec::new();
    for set in [&[][..], &ternary, &[ternary[0], ternary[1], "quantize.dead_zone=0.3"]] {
        let set: Vec<String> = set.iter().map(|s| s.to_string()).collect();
        let recipe = Recipe::parse("tiny", BASE, &set).unwrap();
        let state = State::new(moved(&recipe, &images));
        checkpoint::save(&path, &recipe, &state).unwrap();
        let network = export::network("tiny", &images.shape, recipe.input.code(), &state.model.layers).unwrap();
        for (mapping, word) in [(Mapping::Shift, "shift"), (Mapping::Literal, "literal")] {
            let hardware = format!(
                "readout = 'sa'\narray.inputs = 16\nsa.mapping = '{word}'\nlayer.conv1.readout = 'digital'\nlayer.fc3.readout = 'pcsa'"
            );
            let plan = hafnia::plan::plan(&network, &Hardware::parse(&hardware).unwrap()).unwrap();
            let codes: Vec<&[u8]> = (0..images.len()).map(|i| images.image(i)).collect();
            let golden: Vec<Vec<i32>> = (Golden::new(&plan).run_all(&codes, || ()).into_iter())
                .map(|trace| match trace.layers.into_iter().last() {
                    Some(LayerTrace::Sums(sums)) => sums,
                    other => panic!("{other:?}"),
                })
                .collect();
            let model = checkpoint::mapped(&path, &recipe, &images.shape, 16, mapping, &device()).unwrap();
            let x = (0..images.len()).map(|i| images.image(i).into());
            let outputs = model.eval(batch::inputs(x, images.values(), &recipe.input.code(), &device()));
            let sums: Vec<Vec<i32>> =
                outputs.last().unwrap().rows().map(|r| r.iter().map(|s| *s as i32).collect()).collect();
            assert_eq!(sums, golden, "{set:?}, {word}");
            all.push(sums);
        }
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6, "each of the mappings and networks has scores of its own");
}
