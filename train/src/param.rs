//! What a model holds: parameters, which are learned, and buffers, which are averaged.
//!
//! Both are kept flat, so that the optimizer and checkpoints need not know any layer; layers give them shape.

use burn::tensor::{Device, Tensor};

/// Learned values: a leaf of the autodiff graph.
pub struct Param {
    pub name: String,
    pub shape: Vec<usize>,
    /// Latent weights are kept in +-1, since beyond it the straight-through gradient is 0 (Courbariaux et al. 2015,
    /// arXiv:1511.00363, section 2.4).
    pub clip: bool,
    leaf: Tensor<1>,
}

impl Param {
    pub fn new(name: String, shape: &[usize], clip: bool, values: &[f32], device: &Device) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}: shape and values agree");
        Self { name, shape: shape.into(), clip, leaf: leaf(Tensor::from_floats(values, device)) }
    }

    /// In the layer's shape, tracked for gradients.
    pub fn tracked<const D: usize>(&self) -> Tensor<D> {
        self.leaf.clone().reshape(self.sides())
    }

    /// In the layer's shape, without a graph.
    pub fn plain<const D: usize>(&self) -> Tensor<D> {
        self.flat().reshape(self.sides())
    }

    /// The leaf itself, to ask for its gradient.
    pub fn leaf(&self) -> &Tensor<1> {
        &self.leaf
    }

    pub fn flat(&self) -> Tensor<1> {
        self.leaf.clone().without_autodiff()
    }

    pub fn set(&mut self, flat: Tensor<1>) {
        self.leaf = leaf(flat);
    }

    pub fn values(&self) -> Vec<f32> {
        values(self.flat())
    }

    fn sides<const D: usize>(&self) -> [usize; D] {
        self.shape.clone().try_into().expect("a layer asks for the rank it made")
    }
}

fn leaf(flat: Tensor<1>) -> Tensor<1> {
    flat.without_autodiff().autodiff().require_grad()
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
}

/// A tensor's values on the host.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().expect("a computed float tensor can be read")
}
