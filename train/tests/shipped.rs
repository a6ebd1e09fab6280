//! The networks in `networks/` are what their cards say.

use std::path::Path;

use hafnia::data::Split;
use hafnia_train::{data, evaluate, recipe::SetName};
use sha2::{Digest, Sha256};

#[test]
fn shipped_networks_hold_what_their_cards_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../networks");
    let held_out = data::part(SetName::Digits, None, Split::Test).unwrap();
    for name in ["digits_binary", "digits_ternary"] {
        let path = folder.join(name).with_extension("safetensors");
        let card = std::fs::read_to_string(path.with_extension("md")).unwrap();
        let sha: String = Sha256::digest(std::fs::read(&path).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
        assert!(card.contains(&sha), "{name}: the card names another file than the one with SHA-256 {sha}");

        let network = hafnia::network::load(&path).unwrap();
        let predicted = evaluate::integers(&network, &held_out);
        let right = evaluate::right(&predicted, &held_out.labels);
        assert!(card.contains(&format!("({right} of {})", held_out.len())), "{name}: {right} right, the card differs");
        assert!(evaluate::accuracy(&predicted, &held_out.labels) >= 0.96, "{name}: {right} of {}", held_out.len());
    }
}
