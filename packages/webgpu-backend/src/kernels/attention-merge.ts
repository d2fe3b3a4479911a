// The second dispatch of attention whose keys were shared out: sums of values that were scaled by the largest score of their part are
// scaled by the largest of all. One invocation an element of the output.
import type { Call, Plan, View } from '@transept/tensor';
import type { Dispatch } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { indent, Shader } from '../wgsl/shader.ts';

const size = 64;

export interface Parts {
  /** Rows of queries for each head of keys, how many a part has, and how many heads share a head of keys. */
  readonly rows: number;
  readonly queries: number;
  readonly share: number;
  /** Parts of the keys. */
  readonly splits: number;
}

/** `partial` [parts · queries, Dv + 2]: sum of values, largest score and sum of exponentials of each part. */
export function mergeAttention(
  call: Call,
  plan: Plan,
  partial: View,
  { rows, queries, share, splits }: Parts,
): Dispatch {
  const [batch, , heads, depth] = call.output.shape as readonly [number, number, number, number];
  const [keyHeads, record] = [heads / share, partial.shape[1]!];
  const shader = new Shader({ ...call, inputs: [partial] }, plan);
  shader.declarePut(['batch', 'position', 'head', 'd'].map((name) => ({ axes: 1, at: name })));
  const count = batch * keyHeads * rows * depth;
  const { workgroups, code } = shader.grid(Math.ceil(count / size), 'block');
  const at = (offset: string): string => shader.load(partial, `at + ${offset}`);
  const overParts = (...statements: string[]): string[] => [
    `for (var s = 0u; s < ${u32(splits)}; s++) {`,
    `  let at = first + s * ${u32(queries * record)};`,
    indent(statements),
    '}',
  ];
  return shader.dispatch(size, workgroups, [
    code,
    `let i = block * ${u32(size)} + lane;`,
    `if (i >= ${u32(count)}) { return; }`,
    `let d = i % ${u32(depth)};`,
    `let row = (i / ${u32(depth)}) % ${u32(rows)};`,
    `let pair = i / ${u32(depth * rows)};`,
    `let keyHead = pair % ${u32(keyHeads)};`,
    `let batch = pair / ${u32(keyHeads)};`,
    ...placeOf('row', share, ''),
    `let task = pair * ${u32(Math.ceil(rows / queries))} + row / ${u32(queries)};`,
    `let first = (task * ${u32(splits * queries)} + row % ${u32(queries)}) * ${u32(record)};`,
    'var most = -3.4028234e38;',
    ...overParts(`most = max(most, ${at(u32(depth))});`),
    'var sum = 0.0;',
    'var whole = 0.0;',
    ...overParts(
      `let fade = exp(${at(u32(depth))} - most);`,
      `sum += fade * ${at('d')};`,
      `whole += fade * ${at(u32(depth + 1))};`,
    ),
    'put(sum * select(1.0 / whole, 0.0, whole == 0.0), batch, position, head, d);',
  ]);
}

/** Where the query of a row stands: neighbouring rows are the heads that share a head of keys, then positions. */
export const placeOf = (row: string, share: number, suffix: string): string[] => [
  `let position${suffix} = ${share === 1 ? row : `${row} / ${u32(share)}`};`,
  `let head${suffix} = ${share === 1 ? 'keyHead' : `keyHead * ${u32(share)} + ${row} % ${u32(share)}`};`,
];
