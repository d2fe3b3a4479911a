// Results that are written to rows of other memory as well: which of them an element of the output belongs to.
import { collapse, elements, rowMajor } from '@transept/tensor';
import type { Store } from '@transept/tensor';
import { address, u32 } from './address.ts';
import type { Span } from './address.ts';
import { indent } from './shader.ts';
import type { Shader } from './shader.ts';

/** Statements that write `result`, the element of the output at the given coordinates, to where the store wants it. */
export function storeStatements(shader: Shader, spans: readonly Span[], { from, start, output }: Store): string[] {
  const { shape, offset } = shader.call.output;
  if (elements(from.shape) === 0) return [];
  const inner = collapse([withoutRows(from), withoutRows(output)]);
  const [steps, places] = inner.strides as [number[], number[]];
  const axes = [
    { size: from.shape[0]!, step: from.strides[0]!, name: 'row' },
    ...inner.shape.map((size, i) => ({ size, step: steps[i]!, name: `i${i}` })),
  ]
    .filter(({ size }) => size > 1)
    .sort((a, b) => b.step - a.step);
  const lines = [`var at = ${address({ offset, shape, strides: rowMajor(shape) }, spans)} - ${u32(from.offset)};`];
  const within: string[] = [];
  let reach = Infinity; // `at` is below it
  for (const { size, step, name } of axes) {
    lines.push(`let ${name} = at / ${u32(step)};`, `at %= ${u32(step)};`);
    if (size * step < reach) within.push(`${name} < ${u32(size)}`);
    reach = step;
  }
  if (reach > 1) within.push('at == 0u');
  const row = axes.some(({ name }) => name === 'row') ? ' + i32(row)' : '';
  const target = [`u32(place) * ${u32(output.strides[0]!)}`, ...places.map((step, i) => `i${i} * ${u32(step)}`)];
  return [
    '{',
    indent([
      ...lines,
      `let place = ${shader.integer(start, 0)}${row};`,
      `if (${[...within, 'place >= 0', `place < ${output.shape[0]!}`].join(' && ')}) {`,
      `  ${shader.store(output, [...target, u32(output.offset)].join(' + '), 'result')}`,
      '}',
    ]),
    '}',
  ];
}

const withoutRows = <T extends Store['from']>({ shape, strides }: T) => ({
  offset: 0,
  shape: shape.slice(1),
  strides: strides.slice(1),
});
