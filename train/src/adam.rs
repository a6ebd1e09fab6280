//! Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1), with clipping of latent weights after the step.

use burn::tensor::{Gradients, Tensor};

use crate::param::Param;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

pub struct Adam {
    /// Steps done.
    pub step: usize,
    /// First and second moment of each parameter, in the order of `Model::params`.
    pub moments: Vec<[Tensor<1>; 2]>,
}

impl Adam {
    pub fn new(params: &[&Param]) -> Self {
        Self { step: 0, moments: params.iter().map(|p| [p.flat().zeros_like(), p.flat().zeros_like()]).collect() }
    }

    pub fn step(&mut self, params: Vec<&mut Param>, grads: &Gradients, learning_rate: f64) {
        self.step += 1;
        let unbias = |beta: f64| 1.0 - beta.powi(self.step as i32);
        let (unbias1, unbias2) = (unbias(BETA1), unbias(BETA2));
        for (param, [first, second]) in params.into_iter().zip(&mut self.moments) {
            let Some(grad) = param.leaf().grad(grads) else { continue };
            *first = first.clone() * BETA1 + grad.clone() * (1.0 - BETA1);
            *second = second.clone() * BETA2 + grad.square() * (1.0 - BETA2);
            let update = first.clone() / unbias1 / ((second.clone() / unbias2).sqrt() + EPSILON);
            let moved = param.flat() - update * learning_rate;
            param.set(if param.clip { moved.clamp(-1.0, 1.0) } else { moved });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn two_steps_by_hand() {
        let device = Device::flex();
        let mut param = Param::new("w".into(), &[2], true, &[0.5, -0.95], &device);
        let mut adam = Adam::new(&[&param]);
        for _ in 0..2 {
            // Gradient 2 and 3, always: both moments are unbiased to g and g^2, so a step is the learning rate.
            let grads = (param.tracked::<1>() * Tensor::from_floats([2.0, 3.0], &device)).sum().backward();
            adam.step(vec![&mut param], &grads, 0.1);
        }
        let values = param.values();
        assert!((values[0] - 0.3).abs() < 1e-5, "{values:?}");
        assert_eq!(values[1], -1.0, "clipped");
    }
}
