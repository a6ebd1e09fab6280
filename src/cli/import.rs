use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::{Answer, Outcome, load};
use crate::golden::Golden;
use crate::hardware::Hardware;
use crate::network::{self, Network, import};
use crate::reference;

/// Convert a QONNX model into a network file.
#[derive(clap::Args)]
pub(super) struct Args {
    /// QONNX model (.onnx), as Brevitas exports it or FINN rewrites it.
    model: PathBuf,
    /// Network file to write (.safetensors).
    #[arg(short, long)]
    out: PathBuf,
    /// What one step of an input byte stands for, as a number or a fraction; absent: 1/255.
    #[arg(long, value_parser = scale)]
    input_scale: Option<f32>,
    /// Check on these images (digits, mnist, cifar10, omniglot, arrays, or FILE.npy) that integer scores choose the class that the
    /// network's own do.
    #[arg(long)]
    dataset: Option<String>,
    /// Folder of the data set; absent: HAFNIA_DATA.
    #[arg(long, requires = "dataset")]
    data: Option<PathBuf>,
    /// Take this many images; absent: all.
    #[arg(long, requires = "dataset")]
    images: Option<usize>,
}

fn scale(text: &str) -> Result<f32, String> {
    let number = |t: &str| t.trim().parse::<f32>().map_err(|e| e.to_string());
    let value = match text.split_once('/') {
        Some((over, under)) => number(over)? / number(under)?,
        None => number(text)?,
    };
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err("must be a positive number, such as 1/255".into()) }
}

pub(super) fn run(args: Args) -> Result<Answer> {
    let options = import::ImportOptions { input_scale: args.input_scale, name: None };
    let network = import::qonnx(&args.model, &options)?;
    let checked = args.dataset.as_ref().map(|set| check(&network, set, &args)).transpose()?;
    network::save(&network, &args.out)?;
    let mut text = format!("{}: network {}, {} layers\n", args.out.display(), network.name, network.layers.len());
    let mut outcome = Outcome::Held;
    if let Some(Checked { images, differences }) = &checked {
        text += &format!(
            "integer scores against the network's own: {images} images, {} of another class\n",
            differences.len()
        );
        for (image, own, integer) in differences {
            text += &format!("  image {image}: class {own}, by integer scores {integer}\n");
        }
        if !differences.is_empty() {
            outcome = Outcome::Failed;
        }
    }
    let json = json!({
        "network": network.name, "out": args.out, "layers": network.layers.len(),
        "images": checked.as_ref().map(|c| c.images),
        "differences": checked.as_ref().map(|c| c.differences.iter().map(|(image, own, integer)| json!({
            "image": image, "class": own, "integer_class": integer,
        })).collect::<Vec<_>>()),
    });
    Ok(Answer { text, json, outcome })
}

/// Images on which the fixed point of the scores changes the class: number, the network's class, that of the integers.
struct Checked {
    images: usize,
    differences: Vec<(usize, usize, usize)>,
}

/// Default hardware computes every layer exactly, so that only the scores' constants may be rounded.
fn check(network: &Network, set: &str, args: &Args) -> Result<Checked> {
    let data = load::DataArgs { dataset: set.into(), data: args.data.clone(), first: 0, every: 1, images: args.images };
    let set = data.open(network)?;
    let images: Vec<&[u8]> = (0..set.len()).map(|i| set.image(i)).collect();
    let plan = load::plan(network, &Hardware::default(), None)?;
    let integers = Golden::new(&plan).run_all(&images, || ());
    let own = reference::evaluate_all(network, &images, |_| ());
    let pairs = own.iter().zip(&integers).enumerate().filter(|(_, (own, integer))| own.class != integer.class);
    let differences = pairs.map(|(i, (own, integer))| (i, own.class, integer.class)).collect();
    Ok(Checked { images: set.len(), differences })
}
