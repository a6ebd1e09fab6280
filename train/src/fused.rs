//! Operations of several steps done in one pass over memory, with gradients of their own: extensions of the CPU backend.
//!
//! Training is bound by memory: batch norm and a quantizer made of the framework's operations go about thirty times over
//! every sum of every block. Other devices compose the same from those operations.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Device, Tensor, TensorData};
use burn_flex::FlexTensor;
use hafnia::network::Pool;
use ndarray::{Array2, ArrayView2};

use crate::columns::Columns;
use crate::votes::{self, Kept, Votes};
use crate::{pooled, product};

/// Whether the device of `x` has these operations.
pub fn is_available<const D: usize>(x: &Tensor<D>) -> bool {
    x.clone().without_autodiff().device() == Device::flex()
}

/// See [`product::sums`]; `[block and neuron, image and position]`.
pub fn sums(x: Tensor<2>, weights: Tensor<2>, columns: Arc<Columns>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::sums(x.into_dispatch(), weights.into_dispatch(), columns))
}

/// The same, pooled.
pub fn pooled_sums(x: Tensor<2>, weights: Tensor<2>, columns: Arc<Columns>, pool: Pool) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::pooled_sums(x.into_dispatch(), weights.into_dispatch(), columns, pool))
}

/// Mean and variance of every row of `s`: `[2, row]`. No gradient passes.
pub fn moments(s: &Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moments(s.clone().without_autodiff().into_dispatch()))
}

/// Rows of `s` normalized with their own `moments`, scaled, moved, quantized and voted. The gradient is that of the
/// straight-through estimator and of batch norm, through the moments too.
pub fn votes(s: Tensor<2>, moments: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>, votes: Votes) -> Tensor<2> {
    let [s, moments] = [s, moments].map(Tensor::into_dispatch);
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::votes(s, moments, gamma, beta, votes))
}

#[backend_extension(Flex, Autodiff)]
trait FusedOps: Backend {
    fn sums(x: FloatTensor<Self>, weights: FloatTensor<Self>, columns: Arc<Columns>) -> FloatTensor<Self>;
    fn pooled_sums(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        columns: Arc<Columns>,
        pool: Pool,
    ) -> FloatTensor<Self>;
    fn moments(s: FloatTensor<Self>) -> FloatTensor<Self>;
    fn votes(
        s: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        votes: Votes,
    ) -> FloatTensor<Self>;
}

fn host(x: &FlexTensor) -> &[f32] {
    x.as_slice().expect("contiguous values of f32")
}

fn matrix(x: &FlexTensor) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape([0, 1].map(|k| x.layout().shape()[k]), host(x)).expect("contiguous values of a matrix")
}

fn device<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// And how far behind the first value of its window each is in its plane.
fn maxima(x: &FlexTensor, weights: &FlexTensor, columns: &Columns, pool: Pool) -> (FlexTensor, Array2<u32>) {
    let [x, weights] = [x, weights].map(|t| t.to_contiguous());
    let (values, places) = product::pooled_forward(columns, host(&x), matrix(&weights), pool);
    let sides = places.raw_dim();
    (device(values, [sides[0], sides[1]]), places)
}

fn polled(of: [&FlexTensor; 4], votes: Votes) -> Vec<f32> {
    let [s, moments, gamma, beta] = of.map(|t| t.to_contiguous());
    votes::polled(host(&s), host(&moments), host(&gamma), host(&beta), votes)
}

/// And what the way back needs.
fn activations(mut polled: Vec<f32>, votes: Votes) -> (FlexTensor, Kept) {
    let mut kept = Kept::default();
    if let Some(pool) = votes.poll.pool {
        let (values, places) = pooled::maxima_of_planes(&polled, pool);
        (polled, kept.places) = (values, Some(places));
    }
    kept.passes = votes::passes(&polled, votes.poll.ballot);
    votes::elect(&mut polled, votes.to, votes.poll.ballot.blocks);
    let width = polled.len() / votes.poll.images;
    (device(polled, [votes.poll.images, width]), kept)
}

impl FusedOps for Flex {
    fn sums(x: FlexTensor, weights: FlexTensor, columns: Arc<Columns>) -> FlexTensor {
        let [x, weights] = [x, weights].map(|t| t.to_contiguous());
        let values = product::forward(&columns, host(&x), matrix(&weights));
        let rows = columns.blocks().len() * matrix(&weights).nrows();
        let across = values.len() / rows;
        device(values, [rows, across])
    }

    fn pooled_sums(x: FlexTensor, weights: FlexTensor, columns: Arc<Columns>, pool: Pool) -> FlexTensor {
        maxima(&x, &weights, &columns, pool).0
    }

    fn moments(s: FlexTensor) -> FlexTensor {
        let rows = s.layout().shape()[0];
        device(votes::moments(host(&s.to_contiguous()), rows), [2, rows])
    }

    fn votes(s: FlexTensor, moments: FlexTensor, gamma: FlexTensor, beta: FlexTensor, votes: Votes) -> FlexTensor {
        activations(polled([&s, &moments, &gamma, &beta], votes), votes).0
    }
}

impl<C: CheckpointStrategy> FusedOps for Autodiff<Flex, C> {
    fn sums(x: FloatTensor<Self>, weights: FloatTensor<Self>, columns: Arc<Columns>) -> FloatTensor<Self> {
        let nodes = [x.node(), weights.node()];
        let [x, weights] = [x, weights].map(|t| t.into_primitive());
        let y = Flex::sums(x.clone(), weights.clone(), columns.clone());
        record::<_, C, 2>(Unfold, nodes, (x, weights, columns, None), y)
    }

    fn pooled_sums(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        columns: Arc<Columns>,
        pool: Pool,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weights.node()];
        let [x, weights] = [x, weights].map(|t| t.into_primitive());
        let (y, places) = maxima(&x, &weights, &columns, pool);
        record::<_, C, 2>(Unfold, nodes, (x, weights, columns, Some((pool, Arc::new(places)))), y)
    }

    fn moments(_: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("asked for without autodiff")
    }

    fn votes(
        s: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        votes: Votes,
    ) -> FloatTensor<Self> {
        let nodes = [s.node(), gamma.node(), beta.node()];
        let [s, moments, gamma, beta] = [s, moments, gamma, beta].map(|t| t.into_primitive());
        let (y, kept) = activations(polled([&s, &moments, &gamma, &beta], votes), votes);
        record::<_, C, 3>(Estimate, nodes, ([s, moments, gamma, beta], Arc::new(kept), votes), y)
    }
}

fn record<T, C, const N: usize>(
    step: T,
    nodes: [NodeGuard; N],
    state: T::State,
    y: FlexTensor,
) -> FloatTensor<Autodiff<Flex, C>>
where
    T: Backward<Flex, N>,
    C: CheckpointStrategy,
{
    match step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

/// Backward from sums, or from their maxima, to the map and the weights.
#[derive(Debug)]
struct Unfold;

impl Backward<Flex, 2> for Unfold {
    type State = (FlexTensor, FlexTensor, Arc<Columns>, Option<(Pool, Arc<Array2<u32>>)>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let ((x, weights, columns, pool), [of_x, of_weights]) = (ops.state, ops.parents);
        let shape = |t: &FlexTensor| [0, 1].map(|k| t.layout().shape()[k]);
        let sides = [shape(&x), shape(&weights)];
        let [x, weights] = [x, weights].map(|t| t.to_contiguous());
        let pool = pool.as_ref().map(|(pool, places)| (*pool, places.view()));
        let (to_weights, to_x) =
            product::backward(&columns, host(&x), matrix(&weights), matrix(&gradient), pool, of_x.is_some());
        if let (Some(node), Some(to_x)) = (of_x, to_x) {
            grads.register::<Flex>(node.id, device(to_x, sides[0]));
        }
        if let Some(node) = of_weights {
            grads.register::<Flex>(node.id, device(to_weights, sides[1]));
        }
    }
}

/// Backward from votes to sums, gamma and beta.
#[derive(Debug)]
struct Estimate;

impl Backward<Flex, 3> for Estimate {
    type State = ([FlexTensor; 4], Arc<Kept>, Votes);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let ([s, moments, gamma, beta], kept, votes) = ops.state;
        let [rows, across] = [0, 1].map(|k| s.layout().shape()[k]);
        let [s, moments, gamma, beta] = [s, moments, gamma, beta].map(|t| t.to_contiguous());
        let [ds, dgamma, dbeta] =
            votes::estimated(host(&s), host(&moments), host(&gamma), host(&beta), (host(&gradient), &kept), votes.poll);
        let [to_s, to_gamma, to_beta] = ops.parents;
        if let Some(node) = to_s {
            grads.register::<Flex>(node.id, device(ds, [rows, across]));
        }
        if let Some(node) = to_gamma {
            grads.register::<Flex>(node.id, device(dgamma, [rows]));
        }
        if let Some(node) = to_beta {
            grads.register::<Flex>(node.id, device(dbeta, [rows]));
        }
    }
}
