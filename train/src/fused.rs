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

use crate::columns::Columns;
use crate::norm::{self, Hard};
use crate::pooled;

/// Whether the device of `x` has these operations.
pub fn is_available<const D: usize>(x: &Tensor<D>) -> bool {
    x.clone().without_autodiff().device() == Device::flex()
}

/// See [`Columns::of`].
pub fn columns(x: Tensor<2>, columns: Arc<Columns>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::columns(x.into_dispatch(), columns))
}

/// Mean and variance of every row of `s`: `[2, row]`. No gradient passes.
pub fn moments(s: &Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moments(s.clone().without_autodiff().into_dispatch()))
}

/// Rows of `s` normalized with their own `moments`, scaled, moved and quantized. The gradient is that of the
/// straight-through estimator and of batch norm, through the moments too.
pub fn quantized(s: Tensor<2>, moments: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>, to: Hard) -> Tensor<2> {
    let [s, moments] = [s, moments].map(Tensor::into_dispatch);
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::quantized(s, moments, gamma, beta, to))
}

/// See [`pooled::max_pool`].
pub fn max_pool(x: Tensor<3>, pool: Pool) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::max_pool(x.into_dispatch(), pool))
}

#[backend_extension(Flex, Autodiff)]
trait FusedOps: Backend {
    fn columns(x: FloatTensor<Self>, columns: Arc<Columns>) -> FloatTensor<Self>;
    fn max_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self>;
    fn moments(s: FloatTensor<Self>) -> FloatTensor<Self>;
    fn quantized(
        s: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        to: Hard,
    ) -> FloatTensor<Self>;
}

fn host(x: &FlexTensor) -> &[f32] {
    x.as_slice().expect("contiguous values of f32")
}

fn device<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

fn pooled_planes(x: &FlexTensor, pool: Pool) -> (FlexTensor, Vec<u16>) {
    let [planes, rows, columns] = [0, 1, 2].map(|k| x.layout().shape()[k]);
    let (y, places) = pooled::maxima(host(&x.to_contiguous()), pool, [rows, columns]);
    let [rows, columns] = pooled::sides(pool, [rows, columns]);
    (device(y, [planes, rows, columns]), places)
}

impl FusedOps for Flex {
    fn columns(x: FlexTensor, columns: Arc<Columns>) -> FlexTensor {
        let values = columns.unfold(host(&x.to_contiguous()));
        let shape = [columns.rows(), values.len() / columns.rows()];
        device(values, shape)
    }

    fn max_pool(x: FlexTensor, pool: Pool) -> FlexTensor {
        pooled_planes(&x, pool).0
    }

    fn moments(s: FlexTensor) -> FlexTensor {
        let rows = s.layout().shape()[0];
        device(norm::moments(host(&s.to_contiguous()), rows), [2, rows])
    }

    fn quantized(s: FlexTensor, moments: FlexTensor, gamma: FlexTensor, beta: FlexTensor, to: Hard) -> FlexTensor {
        let [rows, across] = [0, 1].map(|k| s.layout().shape()[k]);
        let [s, moments, gamma, beta] = [s, moments, gamma, beta].map(|t| t.to_contiguous());
        device(norm::quantized(host(&s), host(&moments), host(&gamma), host(&beta), to), [rows, across])
    }
}

impl<C: CheckpointStrategy> FusedOps for Autodiff<Flex, C> {
    fn columns(x: FloatTensor<Self>, columns: Arc<Columns>) -> FloatTensor<Self> {
        let y = Flex::columns(x.primitive().clone(), columns.clone());
        record::<_, C, 1>(Fold, [x.node()], columns, y)
    }

    fn max_pool(x: FloatTensor<Self>, pool: Pool) -> FloatTensor<Self> {
        let (y, places) = pooled_planes(x.primitive(), pool);
        let [rows, columns] = [1, 2].map(|k| x.primitive().layout().shape()[k]);
        record::<_, C, 1>(Spread, [x.node()], (Arc::new(places), pool, [rows, columns]), y)
    }

    fn moments(_: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("asked for without autodiff")
    }

    fn quantized(
        s: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        to: Hard,
    ) -> FloatTensor<Self> {
        let nodes = [s.node(), gamma.node(), beta.node()];
        let [s, moments, gamma, beta] = [s, moments, gamma, beta].map(|t| t.into_primitive());
        let y = Flex::quantized(s.clone(), moments.clone(), gamma.clone(), beta.clone(), to);
        record::<_, C, 3>(Estimate, nodes, [s, moments, gamma, beta], y)
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

/// Backward from columns to the map.
#[derive(Debug)]
struct Fold;

impl Backward<Flex, 1> for Fold {
    type State = Arc<Columns>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [x] = ops.parents;
        if let Some(x) = x {
            let values = ops.state.fold(host(&gradient));
            let images = host(&gradient).len() / ops.state.rows() / ops.state.positions();
            let width = values.len() / images;
            grads.register::<Flex>(x.id, device(values, [images, width]));
        }
    }
}

/// Backward from maxima to the values that they were chosen from: places, pool, rows and columns of a plane.
#[derive(Debug)]
struct Spread;

impl Backward<Flex, 1> for Spread {
    type State = (Arc<Vec<u16>>, Pool, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let ((places, pool, [rows, columns]), [x]) = (ops.state, ops.parents);
        if let Some(x) = x {
            let values = pooled::spread(host(&gradient), &places, pool, [rows, columns]);
            let planes = values.len() / (rows * columns);
            grads.register::<Flex>(x.id, device(values, [planes, rows, columns]));
        }
    }
}

/// Backward from quantized values to sums, gamma and beta.
#[derive(Debug)]
struct Estimate;

impl Backward<Flex, 3> for Estimate {
    type State = [FlexTensor; 4];

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [s, moments, gamma, beta] = ops.state;
        let [rows, across] = [0, 1].map(|k| s.layout().shape()[k]);
        let [s, moments, gamma, beta] = [s, moments, gamma, beta].map(|t| t.to_contiguous());
        let [ds, dgamma, dbeta] = norm::estimated(host(&s), host(&moments), host(&gamma), host(&beta), host(&gradient));
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
