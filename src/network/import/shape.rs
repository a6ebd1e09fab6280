//! Operators that only change a shape, or only read one; the same rules for constants and for the data path.

use super::attributes::Attributes;
use super::constant::Constant;
use super::proto::NodeProto;
use super::tensor::{Tensor, axis, count};

/// Output of `Shape`.
pub fn of(node: &NodeProto, shape: &[usize]) -> Result<Tensor, String> {
    let attributes = Attributes::of(node, &["start", "end"])?;
    let rank = shape.len() as i64;
    let place = |v: i64| (if v < 0 { v.saturating_add(rank) } else { v }).clamp(0, rank) as usize;
    let (start, end) = (place(attributes.int("start", 0)?), place(attributes.int("end", rank)?));
    Ok(Tensor::vector(shape[start..end.max(start)].iter().map(|s| *s as i64).collect()))
}

/// Order of axes that a `Transpose` asks for.
pub fn permutation(node: &NodeProto, rank: usize) -> Result<Vec<usize>, String> {
    let Some(perm) = Attributes::of(node, &["perm"])?.ints("perm")? else {
        return Ok((0..rank).rev().collect());
    };
    let mut found = vec![false; rank];
    for p in perm {
        match usize::try_from(*p).ok().and_then(|p| found.get_mut(p)) {
            Some(place) if !*place => *place = true,
            _ => return Err(format!("its perm is no order of {rank} axes")),
        }
    }
    if perm.len() != rank {
        return Err(format!("its perm orders {} axes, its input has {rank}", perm.len()));
    }
    Ok(perm.iter().map(|p| *p as usize).collect())
}

/// Shape after `Reshape`, `Flatten`, `Squeeze` or `Unsqueeze`; the number of values stays.
pub fn changed(node: &NodeProto, shape: &[usize], argument: Option<&Constant>) -> Result<Vec<usize>, String> {
    let known: &[&str] = match node.op_type.as_str() {
        "Reshape" => &["shape", "allowzero"],
        "Flatten" => &["axis"],
        _ => &["axes"],
    };
    let attributes = Attributes::of(node, known)?;
    let given = |name: &str| -> Result<Option<Vec<i64>>, String> {
        match (attributes.ints(name)?, argument) {
            (Some(v), _) => Ok(Some(v.to_vec())),
            (None, Some(c)) => Ok(Some(c.tensor.ints()?.to_vec())),
            (None, None) => Ok(None),
        }
    };
    let rank = shape.len();
    match node.op_type.as_str() {
        "Reshape" => {
            let to = given("shape")?.ok_or("its shape (input 1) is missing")?;
            reshape(shape, &to, attributes.flag("allowzero", false)?)
        }
        "Flatten" => {
            let at = attributes.int("axis", 1)?;
            let at = if at == rank as i64 { rank } else { axis(at, rank)? };
            Ok(vec![shape[..at].iter().product(), shape[at..].iter().product()])
        }
        "Squeeze" => {
            let axes = match given("axes")? {
                Some(axes) => axes.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>, _>>()?,
                None => (0..rank).filter(|i| shape[*i] == 1).collect(),
            };
            match axes.iter().find(|a| shape[**a] != 1) {
                Some(a) => Err(format!("it squeezes axis {a}, which has {} values", shape[*a])),
                None => Ok((0..rank).filter(|i| !axes.contains(i)).map(|i| shape[i]).collect()),
            }
        }
        _ => {
            let axes = given("axes")?.ok_or("its axes are missing")?;
            if axes.len() > 8 {
                return Err("it adds more than 8 axes".into());
            }
            let rank = rank + axes.len();
            let axes = axes.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>, _>>()?;
            let mut rest = shape.iter();
            let sides: Vec<usize> =
                (0..rank).filter_map(|i| if axes.contains(&i) { Some(1) } else { rest.next().copied() }).collect();
            if sides.len() != rank {
                return Err("it adds one axis twice".into());
            }
            Ok(sides)
        }
    }
}

fn reshape(shape: &[usize], to: &[i64], zero_is_zero: bool) -> Result<Vec<usize>, String> {
    let impossible = || format!("it reshapes {shape:?} to {to:?}, which has another number of values");
    let total: usize = shape.iter().product();
    let side = |(i, v): (usize, &i64)| match *v {
        0 if !zero_is_zero => shape.get(i).copied().map(Some).ok_or_else(impossible),
        -1 => Ok(None),
        v => usize::try_from(v).map(Some).map_err(|_| impossible()),
    };
    let sides = to.iter().enumerate().map(side).collect::<Result<Vec<Option<usize>>, String>>()?;
    let known = sides.iter().flatten().try_fold(1usize, |n, s| n.checked_mul(*s)).ok_or_else(impossible)?;
    let open = sides.iter().filter(|s| s.is_none()).count();
    let fits = match open {
        0 => known == total,
        1 => known != 0 && total.is_multiple_of(known),
        _ => false,
    };
    if !fits {
        return Err(impossible());
    }
    let sides: Vec<usize> = sides.into_iter().map(|s| s.unwrap_or_else(|| total / known)).collect();
    count(&sides)?;
    Ok(sides)
}

#[cfg(test)]
mod tests {
    use super::reshape;

    #[test]
    fn reshape_fills_minus_one_and_copies_zero() {
        assert_eq!(reshape(&[1, 1, 28, 28], &[1, -1], false).unwrap(), [1, 784]);
        assert_eq!(reshape(&[2, 3], &[0, 3, -1], false).unwrap(), [2, 3, 1]);
        assert!(reshape(&[2, 3], &[4, -1], false).is_err());
        assert!(reshape(&[2, 3], &[-1, -1], false).is_err());
        assert!(reshape(&[2, 3], &[i64::MAX, i64::MAX], false).is_err());
        assert!(reshape(&[2, 3], &[0, 6], true).is_err());
        assert!(reshape(&[2, 3], &[-2, 3], false).is_err());
    }
}
