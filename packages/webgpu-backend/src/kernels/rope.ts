// Rotary positions: one invocation an element of the output, which reads both elements of its pair.
import { elements } from '@transept/tensor';
import type { GpuKernel } from '../step.ts';
import { u32 } from '../wgsl/address.ts';
import { Shader } from '../wgsl/shader.ts';

const size = 64;

export const rope: GpuKernel = {
  epilogue: true,
  stores: true,
  prepare(call, plan) {
    const [x, cos, sin] = call.inputs;
    const { shape } = call.output;
    const count = elements(shape);
    if (count === 0) return [];
    const depth = shape.at(-1)!;
    const half = cos!.shape.at(-1)!;
    const rotated = 2 * half;
    const interleaved = call.attrs['interleaved'] === true;
    const shader = new Shader(call, plan);
    const at = (name: string) => [
      { axes: shape.length - 1, at: 'head' },
      { axes: 1, at: name },
    ];
    shader.declarePut(at('d'));
    const { workgroups, code } = shader.grid(Math.ceil(count / size), 'block');
    const [pair, second, other] = interleaved
      ? ['d / 2u', 'd % 2u == 1u', 'd ^ 1u']
      : [`d % ${u32(half)}`, `d >= ${u32(half)}`, `select(d + ${u32(half)}, d - ${u32(half)}, second)`];
    const rotate = [
      `let second = ${second};`,
      `let pair = ${pair};`,
      `let other = ${other};`,
      `let crossed = ${shader.at(x!, at('other'))} * ${shader.at(sin!, at('pair'))};`,
      `value = value * ${shader.at(cos!, at('pair'))} + select(-crossed, crossed, second);`,
    ];
    return [
      shader.dispatch(size, workgroups, [
        code,
        `let i = block * ${u32(size)} + lane;`,
        `if (i >= ${u32(count)}) { return; }`,
        `let head = i / ${u32(depth)};`,
        `let d = i % ${u32(depth)};`,
        `var value = ${shader.at(x!, at('d'))};`,
        ...(half === 0 ? [] : [`if (d < ${u32(rotated)}) {`, ...rotate.map((l) => `  ${l}`), '}']),
        'put(value, head, d);',
      ]),
    ];
  },
};
