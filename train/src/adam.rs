//! Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1) with decoupled weight decay (Loshchilov and Hutter 2019,
//! arXiv:1711.05101) and clipping of latent weights after the step. One pass over each parameter on the host: tensor
//! operations, one after the other, took as long as the rest of a step on large dense layers.

use burn::tensor::Gradients;
use rayon::prelude::*;

use crate::param::{Param, values};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Values that one task takes.
const PIECE: usize = 1 << 16;

#[derive(Clone, Copy)]
pub struct Rates {
    pub learning_rate: f64,
    /// Share of a latent weight that a step of rate 1 takes away; batch norms keep theirs.
    pub weight_decay: f64,
}

pub struct Adam {
    /// Steps done.
    pub step: usize,
    /// First and second moment of each parameter, in the order of `Model::params`.
    pub moments: Vec<[Vec<f32>; 2]>,
}

impl Adam {
    pub fn new(params: &[&Param]) -> Self {
        let zeros = |p: &&Param| [vec![0.0; p.latent().len()], vec![0.0; p.latent().len()]];
        Self { step: 0, moments: params.iter().map(zeros).collect() }
    }

    pub fn step(&mut self, params: Vec<&mut Param>, grads: &Gradients, rates: Rates) {
        self.step += 1;
        let unbias = |beta: f64| (1.0 - beta.powi(self.step as i32)) as f32;
        let (unbias1, unbias2) = (unbias(BETA1), unbias(BETA2));
        let [keep1, take1, keep2, take2] = [BETA1, 1.0 - BETA1, BETA2, 1.0 - BETA2].map(|b| b as f32);
        let (rate, epsilon) = (rates.learning_rate as f32, EPSILON as f32);
        for (param, [first, second]) in params.into_iter().zip(&mut self.moments) {
            let Some(grad) = param.leaf().grad(grads) else { continue };
            let mut grad = values(grad);
            let (clip, quantized) = (param.clip, param.quantizer.is_weight());
            param.quantizer.latent_gradient(param.latent(), &mut grad, param.shape[0]);
            let keep = if quantized { (1.0 - rates.learning_rate * rates.weight_decay) as f32 } else { 1.0 };
            param.update(|latent| {
                let pieces = latent.par_chunks_mut(PIECE).zip(first.par_chunks_mut(PIECE));
                let pieces = pieces.zip(second.par_chunks_mut(PIECE)).zip(grad.par_chunks(PIECE));
                pieces.for_each(|(((w, m), v), g)| {
                    for (((w, m), v), g) in w.iter_mut().zip(m).zip(v).zip(g) {
                        *m = *m * keep1 + g * take1;
                        *v = *v * keep2 + g * g * take2;
                        let moved = *w * keep - *m / unbias1 / ((*v / unbias2).sqrt() + epsilon) * rate;
                        *w = if clip { moved.clamp(-1.0, 1.0) } else { moved };
                    }
                });
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::Quantizer;
    use burn::tensor::{Device, Tensor};

    fn stepped(quantizer: Quantizer, start: [f32; 2], clip: bool, rates: Rates, steps: usize) -> Vec<f32> {
        let device = Device::flex();
        let mut param = Param::new("w".into(), &[2], quantizer, clip, start.into(), &device);
        let mut adam = Adam::new(&[&param]);
        for _ in 0..steps {
            // Gradient 2 and 3, always: both moments are unbiased to g and g^2, so a step is the learning rate.
            let grads = (param.tracked::<1>() * Tensor::from_floats([2.0, 3.0], &device)).sum().backward();
            adam.step(vec![&mut param], &grads, rates);
        }
        param.latent().into()
    }

    #[test]
    fn two_steps_by_hand() {
        let rates = Rates { learning_rate: 0.1, weight_decay: 0.0 };
        let values = stepped(Quantizer::None, [0.5, -0.95], true, rates, 2);
        assert!((values[0] - 0.3).abs() < 1e-5, "{values:?}");
        assert_eq!(values[1], -1.0, "clipped");
    }

    #[test]
    fn decay_is_decoupled_and_spares_what_is_not_quantized() {
        let rates = Rates { learning_rate: 0.1, weight_decay: 0.5 };
        // 0.5 (1 - 0.05) - 0.1.
        let values = stepped(Quantizer::Bipolar { scaled: false }, [0.5, 0.5], true, rates, 1);
        assert!((values[0] - 0.375).abs() < 1e-6, "{values:?}");
        let values = stepped(Quantizer::None, [0.5, 0.5], true, rates, 1);
        assert!((values[0] - 0.4).abs() < 1e-6, "{values:?}");
    }

    #[test]
    fn without_clipping_no_gradient_passes_beyond_one() {
        let rates = Rates { learning_rate: 0.1, weight_decay: 0.0 };
        let values = stepped(Quantizer::Bipolar { scaled: false }, [1.5, 0.5], false, rates, 1);
        assert_eq!(values[0], 1.5);
        assert!((values[1] - 0.4).abs() < 1e-6);
    }
}
