// Positions that count real tokens only, told from padding by their ids (fairseq; RoBERTa, MPNet, M2M-100).
import { expandDims, expr, pointwise, reshape, sum } from '@transept/tensor';
import type { ScalarRef, Tensor } from '@transept/tensor';

/** ids [B, T] (i32) → i32 [B, T]: pad + start + 1, pad + start + 2, … over the ids other than `pad`, which have `pad` itself. */
export function tokenPositions(ids: Tensor, pad: number, start: number | ScalarRef = 0): Tensor {
  const [rows, length] = ids.shape as readonly [number, number];
  const { apply, constant, index, input } = expr;
  const isPad = (id: expr.Expr): expr.Expr => apply('equal', id, constant(pad, 'i32'));
  // Axes [B, T, S]: does key s count for position t?
  const counts = apply(
    'select',
    apply('lessEqual', index(2), index(1)),
    apply('sub', constant(1, 'i32'), isPad(input(0))),
    constant(0, 'i32'),
  );
  const grid = pointwise(counts, [expandDims(ids, 1), expandDims(ids, 2)]); // [B, T, T]
  const counted = reshape(sum(grid), [rows, length]);
  const first =
    typeof start === 'number' ? constant(start, 'i32') : ({ kind: 'scalar', scalar: start.scalar } as const);
  const position = apply('add', apply('add', input(0), first), constant(pad, 'i32'));
  return pointwise(apply('select', isPad(input(1)), constant(pad, 'i32'), position), [counted, ids]);
}
