//! RBNN's weights (Lin et al. 2020, arXiv:2009.13055): a neuron's weights, standardized and laid out as a matrix X of a x b,
//! are turned by two orthogonal matrices towards the corners of the cube, R1' X R2, before the sign is taken. How far each
//! neuron goes is learned as an angle. The matrices are found anew at the start of every epoch, by turns, in closed form.

use burn::tensor::{Device, Tensor};

use crate::param::{Buffer, Param};
use crate::quantize::{self, Quantizer, Slope};
use crate::random::Stream;

/// Turns between signs and matrices in one update, as in the authors' code.
const TURNS: usize = 3;

pub struct Rotated {
    /// Sides of X.
    a: usize,
    b: usize,
    pub first: Buffer,
    pub second: Buffer,
    /// A neuron goes |sin| of the way to its rotated weights.
    pub angle: Param,
    /// Its magnitude is the scale of a neuron's sum.
    pub gain: Param,
    pub slope: Slope,
}

impl Rotated {
    pub fn new(place: &str, latent: &[f32], neurons: usize, stream: &mut Stream, device: &Device) -> Self {
        let inputs = latent.len() / neurons;
        let a = (1..=inputs).take_while(|a| a * a <= inputs).filter(|a| inputs.is_multiple_of(*a)).last().unwrap_or(1);
        let b = inputs / a;
        let mut orthogonal = |side: usize| {
            let random: Vec<f64> = (0..side * side).map(|_| stream.normal()).collect();
            polar(&random, side).into_iter().map(|x| x as f32).collect::<Vec<f32>>()
        };
        let (first, second) = (orthogonal(a), orthogonal(b));
        let angles = (0..neurons).map(|_| (stream.unit() * std::f64::consts::FRAC_PI_2) as f32).collect();
        let gains = latent.chunks(inputs).map(quantize::mean_magnitude).collect();
        let param = |what: &str, values| {
            Param::new(format!("{place}.{what}"), &[neurons], Quantizer::None, false, values, device)
        };
        Self {
            a,
            b,
            first: Buffer::new(format!("{place}.rotation1"), &first, device),
            second: Buffer::new(format!("{place}.rotation2"), &second, device),
            angle: param("angle", angles),
            gain: param("gain", gains),
            slope: Slope::at(0.0),
        }
    }

    /// Before an epoch: gradients for what is `done` of the training, and matrices for the weights as they are.
    pub fn update(&mut self, latent: &[f32], done: f64) {
        self.slope = Slope::at(done);
        let (a, b) = (self.a, self.b);
        let exact = |buffer: &Buffer| buffer.values().into_iter().map(f64::from).collect::<Vec<f64>>();
        let (mut first, mut second) = (exact(&self.first), exact(&self.second));
        let neurons: Vec<Vec<f64>> = latent.chunks(a * b).map(standardized).collect();
        for _ in 0..TURNS {
            let signs: Vec<Vec<f64>> = neurons
                .iter()
                .map(|x| product(&product(&transposed(&first, a, a), x, [a, a, b]), &second, [a, b, b]))
                .map(|v| v.into_iter().map(|v| if v >= 0.0 { 1.0 } else { -1.0 }).collect())
                .collect();
            // The orthogonal matrix nearest to the sum of X R2 B', then of X' R1 B.
            let mut sum = vec![0.0; a * a];
            for (x, s) in neurons.iter().zip(&signs) {
                add(&mut sum, &product(&product(x, &second, [a, b, b]), &transposed(s, a, b), [a, b, a]));
            }
            first = polar(&sum, a);
            let mut sum = vec![0.0; b * b];
            for (x, s) in neurons.iter().zip(&signs) {
                add(&mut sum, &product(&product(&transposed(x, a, b), &first, [b, a, a]), s, [b, a, b]));
            }
            // Few neurons leave directions of which the sum says nothing: there the matrix stays near what it was.
            if neurons.len() * a < b {
                let small = 1e-6 * sum.iter().map(|v| v * v).sum::<f64>().sqrt();
                sum.iter_mut().zip(&second).for_each(|(s, m)| *s += small * m);
            }
            second = polar(&sum, b);
        }
        let near = |m: Vec<f64>| m.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
        self.first.set(&near(first));
        self.second.set(&near(second));
    }

    /// Bipolar weights from latent ones, `[neurons, inputs]`.
    pub fn weights(&self, latent: Tensor<2>) -> Tensor<2> {
        let [neurons, inputs] = latent.dims();
        let centred = latent.clone() - latent.mean_dim(1);
        let deviation = (centred.clone().square().sum_dim(1) / (inputs as f64 - 1.0)).sqrt();
        let x = centred / deviation;
        let (a, b) = (self.a, self.b);
        let square = |buffer: &Buffer, side: usize| buffer.value.clone().reshape([side, side]);
        let right = x.clone().without_autodiff().reshape([neurons * a, b]).matmul(square(&self.second, b));
        let turned = right.reshape([neurons, a, b]).swap_dims(1, 2).reshape([neurons * b, a]);
        let both = turned.matmul(square(&self.first, a)).reshape([neurons, b, a]).swap_dims(1, 2);
        let rotated = both.reshape([neurons, inputs]);
        let rotated = if x.is_autodiff() { rotated.autodiff() } else { rotated };
        let way = self.angle.beside::<1, 2>(&x).sin().abs().reshape([neurons, 1]);
        quantize::approximated(x.clone() + (rotated - x) * way, self.slope)
    }
}

/// Mean 0, deviation 1.
fn standardized(weights: &[f32]) -> Vec<f64> {
    let n = weights.len() as f64;
    let mean = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / n;
    let centred: Vec<f64> = weights.iter().map(|w| f64::from(*w) - mean).collect();
    let deviation = (centred.iter().map(|w| w * w).sum::<f64>() / (n - 1.0)).sqrt();
    centred.into_iter().map(|w| w / deviation).collect()
}

/// Of matrices of `rows` x `inner` and `inner` x `columns`.
fn product(left: &[f64], right: &[f64], [rows, inner, columns]: [usize; 3]) -> Vec<f64> {
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns).enumerate() {
        for k in 0..inner {
            let factor = left[row * inner + k];
            out.iter_mut().zip(&right[k * columns..]).for_each(|(o, r)| *o += factor * r);
        }
    }
    out
}

fn transposed(m: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|k| (0..rows).map(move |r| m[r * columns + k])).collect()
}

fn add(sum: &mut [f64], more: &[f64]) {
    sum.iter_mut().zip(more).for_each(|(s, m)| *s += m);
}

/// The orthogonal matrix nearest to a square one (U V' of its singular value decomposition), by Newton and Schulz.
fn polar(m: &[f64], side: usize) -> Vec<f64> {
    let length = m.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    let mut x: Vec<f64> = m.iter().map(|v| v / length).collect();
    for _ in 0..100 {
        let cube = product(&product(&x, &transposed(&x, side, side), [side; 3]), &x, [side; 3]);
        let next: Vec<f64> = x.iter().zip(cube).map(|(x, c)| 1.5 * x - 0.5 * c).collect();
        let moved = x.iter().zip(&next).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        x = next;
        if moved < 1e-12 {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::values;
    use crate::random::Purpose;
    use burn::tensor::TensorData;

    fn is_orthogonal(m: &[f64], side: usize) -> bool {
        let square = product(m, &transposed(m, side, side), [side; 3]);
        square.iter().enumerate().all(|(i, v)| (v - f64::from(u8::from(i % (side + 1) == 0))).abs() < 1e-6)
    }

    #[test]
    fn polar_factors_by_hand() {
        // A turn by 90 degrees, stretched: the turn remains.
        let turn = polar(&[0.0, -3.0, 0.5, 0.0], 2);
        assert!(turn.iter().zip([0.0, -1.0, 1.0, 0.0]).all(|(x, e)| (x - e).abs() < 1e-9), "{turn:?}");
        let mut stream = Stream::new(1, Purpose::Weights, 0);
        let random: Vec<f64> = (0..49).map(|_| stream.normal()).collect();
        assert!(is_orthogonal(&polar(&random, 7), 7));
    }

    #[test]
    fn few_neurons_leave_both_matrices_orthogonal() {
        // 3 neurons of 1 x 13: the sum for the second matrix has rank 3.
        let mut stream = Stream::new(1, Purpose::Weights, 0);
        let latent: Vec<f32> = (0..3 * 13).map(|_| stream.normal() as f32).collect();
        let mut rotated = Rotated::new("x", &latent, 3, &mut stream, &Device::flex());
        for epoch in 0..3 {
            rotated.update(&latent, f64::from(epoch) / 3.0);
            for (matrix, side) in [(&rotated.first, 1), (&rotated.second, 13)] {
                let matrix: Vec<f64> = matrix.values().into_iter().map(f64::from).collect();
                assert!(is_orthogonal(&matrix, side), "{matrix:?}");
            }
        }
    }

    #[test]
    fn rotation_brings_weights_nearer_to_their_signs() {
        let device = Device::flex();
        let mut stream = Stream::new(1, Purpose::Weights, 0);
        let latent: Vec<f32> = (0..8 * 12).map(|_| stream.normal() as f32).collect();
        let mut rotated = Rotated::new("x", &latent, 8, &mut stream, &device);
        assert_eq!((rotated.a, rotated.b), (3, 4));
        let exact = |buffer: &Buffer| buffer.values().into_iter().map(f64::from).collect::<Vec<f64>>();
        // The cosine between rotated weights and their signs grows with their summed magnitude.
        let magnitude = |r: &Rotated| -> f64 {
            let (first, second) = (exact(&r.first), exact(&r.second));
            assert!(is_orthogonal(&first, 3) && is_orthogonal(&second, 4));
            let turned = |x: &[f32]| {
                product(&product(&transposed(&first, 3, 3), &standardized(x), [3, 3, 4]), &second, [3, 4, 4])
            };
            latent.chunks(12).flat_map(turned).map(f64::abs).sum()
        };
        let before = magnitude(&rotated);
        rotated.update(&latent, 0.0);
        let after = magnitude(&rotated);
        assert!(after > before, "{before} {after}");
        // All the way, the signs are those of the rotated weights.
        rotated.angle.set(&[std::f32::consts::FRAC_PI_2; 8]);
        let tensor = Tensor::<2>::from_data(TensorData::new(latent.clone(), [8, 12]), &device);
        let (first, second) = (exact(&rotated.first), exact(&rotated.second));
        let expected = latent.chunks(12).flat_map(|x| {
            product(&product(&transposed(&first, 3, 3), &standardized(x), [3, 3, 4]), &second, [3, 4, 4])
        });
        let signs: Vec<f32> = expected.map(|v| if v >= 0.0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(values(rotated.weights(tensor.clone())), signs);
        // Not at all, those of the weights less their mean.
        rotated.angle.set(&[0.0; 8]);
        let signs: Vec<f32> =
            latent.chunks(12).flat_map(standardized).map(|v| if v >= 0.0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(values(rotated.weights(tensor)), signs);
    }
}
