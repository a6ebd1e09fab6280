//! What a model holds: parameters, which are learned, and buffers, which are averaged.
//!
//! Both are kept flat, so that the optimizer and checkpoints need not know any layer; layers give them shape. A
//! parameter's latent values stay on the host, where the optimizer moves them; the tensor of quantized values that the
//! layers see is a leaf of the autodiff graph, so its gradient is that of the straight-through estimator.

use burn::tensor::{Device, Tensor, TensorData};

use crate::quantize::Quantizer;

/// Learned values.
pub struct Param {
    pub name: String,
    pub shape: Vec<usize>,
    pub quantizer: Quantizer,
    /// Keeps latent values in +-1, since beyond it the straight-through gradient is 0 (Courbariaux et al. 2015,
    /// arXiv:1511.00363, section 2.4).
    pub clip: bool,
    latent: Vec<f32>,
    leaf: Tensor<1>,
    device: Device,
}

impl Param {
    pub fn new(
        name: String,
        shape: &[usize],
        quantizer: Quantizer,
        clip: bool,
        values: Vec<f32>,
        device: &Device,
    ) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}: shape and values agree");
        let leaf = leaf(&quantizer, &values, device);
        Self { name, shape: shape.into(), quantizer, clip, latent: values, leaf, device: device.clone() }
    }

    /// Quantized, in the layer's shape, tracked for gradients.
    pub fn tracked<const D: usize>(&self) -> Tensor<D> {
        self.leaf.clone().reshape(self.sides())
    }

    /// Quantized, in the layer's shape, without a graph.
    pub fn plain<const D: usize>(&self) -> Tensor<D> {
        self.leaf.clone().without_autodiff().reshape(self.sides())
    }

    /// Tracked where `x` is.
    pub fn beside<const D: usize, const E: usize>(&self, x: &Tensor<E>) -> Tensor<D> {
        if x.is_autodiff() { self.tracked() } else { self.plain() }
    }

    /// The leaf itself, to ask for its gradient.
    pub fn leaf(&self) -> &Tensor<1> {
        &self.leaf
    }

    pub fn latent(&self) -> &[f32] {
        &self.latent
    }

    /// As the layers see them.
    pub fn quantized(&self) -> Vec<f32> {
        self.latent.iter().map(|w| self.quantizer.of(*w)).collect()
    }

    /// Moves the latent values in place and quantizes anew.
    pub fn update(&mut self, change: impl FnOnce(&mut [f32])) {
        change(&mut self.latent);
        self.leaf = leaf(&self.quantizer, &self.latent, &self.device);
    }

    /// Shows the layers other values, until the latent ones move next or [`Param::hide`].
    pub fn show(&mut self, values: Vec<f32>) {
        assert_eq!(values.len(), self.latent.len(), "{}: one value for each", self.name);
        self.leaf = tracked(values, &self.device);
    }

    /// Shows the layers the latent values' own ones again.
    pub fn hide(&mut self) {
        self.update(|_| {});
    }

    pub fn set(&mut self, latent: &[f32]) {
        self.update(|values| values.copy_from_slice(latent));
    }

    fn sides<const D: usize>(&self) -> [usize; D] {
        self.shape.clone().try_into().expect("a layer asks for the rank it made")
    }
}

fn leaf(quantizer: &Quantizer, latent: &[f32], device: &Device) -> Tensor<1> {
    tracked(latent.iter().map(|w| quantizer.of(*w)).collect(), device)
}

fn tracked(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let sides = [values.len()];
    Tensor::from_data(TensorData::new(values, sides), device).autodiff().require_grad()
}

/// Running statistics.
pub struct Buffer {
    pub name: String,
    pub value: Tensor<1>,
}

impl Buffer {
    pub fn new(name: String, values: &[f32], device: &Device) -> Self {
        Self { name, value: Tensor::from_floats(values, device) }
    }

    /// Moves by `share` of the way to `towards`.
    pub fn follow(&mut self, towards: Tensor<1>, share: f64) {
        self.value = self.value.clone() * (1.0 - share) + towards * share;
    }

    pub fn set(&mut self, values: &[f32]) {
        self.value = Tensor::from_floats(values, &self.value.device());
    }

    pub fn values(&self) -> Vec<f32> {
        values(self.value.clone())
    }
}

/// A tensor's values on the host.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().expect("a computed float tensor can be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_gives_the_gradient_and_goes_when_latent_values_move() {
        let device = Device::flex();
        let mut w = Param::new("w".into(), &[2], Quantizer::Ternary { zone: 0.05 }, true, vec![0.3, 0.0], &device);
        w.show(vec![-1.0, 1.0]);
        assert_eq!((values(w.plain::<1>()), w.quantized()), (vec![-1.0, 1.0], vec![1.0, 0.0]));
        let square = (w.tracked::<1>() * w.tracked::<1>()).sum().backward();
        assert_eq!(values(w.leaf().grad(&square).unwrap()), [-2.0, 2.0]);
        w.hide();
        assert_eq!(values(w.plain::<1>()), [1.0, 0.0]);
        w.show(vec![-1.0, 1.0]);
        w.update(|latent| latent[1] = 0.1);
        assert_eq!((w.latent(), values(w.plain::<1>())), (&[0.3, 0.1][..], vec![1.0, 1.0]));
    }
}
