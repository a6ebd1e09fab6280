//! What training makes small, averaged over a batch.

use burn::tensor::{Tensor, activation::log_softmax};

use crate::recipe::Loss;

/// `targets`: one row an image, 1 at its class and 0 elsewhere.
pub fn loss(kind: Loss, scores: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let images = scores.dims()[0] as f64;
    match kind {
        Loss::CrossEntropy => (log_softmax(scores, 1) * targets).sum() / -images,
        Loss::SquaredHinge => {
            let signs = targets * 2.0 - 1.0;
            (-(signs * scores) + 1.0).clamp_min(0.0).square().sum() / images
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::values;
    use burn::tensor::Device;

    fn of(kind: Loss) -> f64 {
        let device = Device::flex();
        let scores = Tensor::from_floats([[0.0, 1.0], [3.0, 0.5]], &device);
        let targets = Tensor::from_floats([[0.0, 1.0], [0.0, 1.0]], &device);
        values(loss(kind, scores, targets))[0].into()
    }

    #[test]
    fn losses_by_hand() {
        // -ln of the softmax: ln(1 + e^-1) and ln(1 + e^2.5).
        let expected = ((1.0 + (-1.0f64).exp()).ln() + (1.0 + 2.5f64.exp()).ln()) / 2.0;
        assert!((of(Loss::CrossEntropy) - expected).abs() < 1e-6);
        // (1 + 0)^2 + 0 and (1 + 3)^2 + (1 - 0.5)^2.
        assert_eq!(of(Loss::SquaredHinge), (1.0 + 16.25) / 2.0);
    }
}
