// Positions that count real tokens only, told from padding by their ids (fairseq; RoBERTa, MPNet, M2M-100).
import { expandDims, expr, pointwise, reshape, sum } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';

const { apply, constant, index, input } = expr;

/** ids [B, T] (i32) → i32 [B, T]: pad + start + 1, pad + start + 2, … over the ids other than `pad`, which have `pad` itself. */
export function tokenPositions(ids: Tensor, pad: number, start: number | ScalarRef = 0): Tensor {
  const isPad = (id: expr.Expr): expr.Expr => apply('equal', id, constant(pad, 'i32'));
  const counted = countUpTo(ids, (id) => apply('sub', constant(1, 'i32'), isPad(id)));
  const first =
    typeof start === 'number' ? constant(start, 'i32') : ({ kind: 'scalar', scalar: start.scalar } as const);
  const position = apply('add', apply('add', input(0), first), constant(pad, 'i32'));
  return pointwise(apply('select', isPad(input(1)), constant(pad, 'i32'), position), [counted, ids]);
}

/** mask [B, T] (i32) of 0 and 1 → i32 [B, T]: 0, 1, 2, … over the places of 1; 0 elsewhere. */
export function countedTokens(mask: Tensor): Tensor {
  const counted = countUpTo(mask, (one) => one);
  return pointwise(apply('mul', input(1), apply('sub', input(0), constant(1, 'i32'))), [counted, mask]);
}

/** At each place of x [B, T] the sum of `value` over this one and those before: i32 [B, T]. */
function countUpTo(x: Tensor, value: (element: expr.Expr) => expr.Expr): Tensor {
  // Axes [B, T, S]: does place s count for place t?
  const counts = apply('select', apply('lessEqual', index(2), index(1)), value(input(0)), constant(0, 'i32'));
  const grid = pointwise(counts, [expandDims(x, 1), expandDims(x, 2)]); // [B, T, T]
  return reshape(sum(grid), x.shape);
}
