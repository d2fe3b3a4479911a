// Builds one compute shader: bindings for the views of a call, addresses, scalars, and the function that applies the
// epilogue and stores a result. Views of one buffer share one binding, whatever their offsets.
import { BackendError, bytesPer, computeType, readsOf, writesOf } from '@transept/tensor';
import type { Attr, Call, ComputeType, DType, Expr, Plan, ScalarRef, Storage, View } from '@transept/tensor';
import { scratch } from '../step.ts';
import type { Binding, Dispatch } from '../step.ts';
import { address, coordinate, extent, u32 } from './address.ts';
import type { Span } from './address.ts';
import { emitExpression } from './expression.ts';
import { libraryCode, libraryName } from './library.ts';
import type { LibraryFn } from './library.ts';
import { partFunctions, partsOf } from './parts.ts';
import type { Part } from './parts.ts';
import { storedElement, storedFunctions } from './stored.ts';
import { storeStatements } from './stores.ts';

interface Bound {
  readonly name: string;
  readonly buffer: number;
  readonly dtype: DType;
  /** How the values of a weight are stored, where that is not as `dtype`. */
  readonly stored: Storage | undefined;
  readonly bytes: number;
  /** Read by fours. */
  readonly vector: boolean;
  /** Bindings of its own for each part of a buffer that is too large for one. */
  readonly parts: readonly Part[] | undefined;
  elements: number;
  access: Binding['access'];
}

/** Can a view be read as vec4 along an axis? All its elements must come in aligned groups of four. */
export function readsByFours(call: Call, view: View, axis: number): boolean {
  return (
    computeType(view.dtype) === 'f32' &&
    !writesOf(call).some(({ buffer }) => buffer === view.buffer) &&
    view.offset % 4 === 0 &&
    view.shape[axis]! % 4 === 0 &&
    view.strides.every((s, i) => (i === axis ? s === 1 : view.shape[i] === 1 || s % 4 === 0))
  );
}

/** Most workgroups along one dimension of a dispatch. */
const maxWorkgroups = 65535;

export class Shader {
  readonly call: Call;
  readonly plan: Plan;
  readonly #maxBinding: number;
  readonly #bound = new Map<number, Bound>();
  readonly #declarations: string[] = [];
  readonly #library = new Set<LibraryFn>();
  #scalars = false;
  #subgroups = false;

  /** `vectors`: the views that are read by fours; see `readsByFours`. Inputs of more than `maxBinding` bytes are bound in parts. */
  constructor(call: Call, plan: Plan, vectors: readonly View[] = [], maxBinding = Infinity) {
    this.call = call;
    this.plan = plan;
    this.#maxBinding = maxBinding;
    const vectorBuffers = new Set(vectors.map((v) => v.buffer));
    for (const view of readsOf(call)) this.#bind(view, 'read', vectorBuffers.has(view.buffer));
    for (const view of writesOf(call)) this.#bind(view, 'read_write', false);
  }

  #bind(view: View, access: Binding['access'], vector: boolean): void {
    const { buffer, dtype } = view;
    const planned = buffer === scratch ? undefined : this.plan.buffers[buffer]!;
    const stored = planned?.kind === 'bound' ? planned.stored : undefined;
    const bytes = planned?.bytes ?? 0;
    const known = this.#bound.get(buffer);
    const name = `b${this.#bound.size}`;
    const whole = access === 'read_write' || computeType(dtype) !== 'f32';
    const parts = whole ? undefined : partsOf(name, { dtype, stored }, bytes, this.#maxBinding);
    const bound = known ?? { name, buffer, dtype, stored, bytes, vector, parts, elements: 0, access };
    if (bytesPer[bound.dtype] !== bytesPer[dtype])
      throw new BackendError(
        `${this.call.op}: views of one buffer have types of different sizes: ${bound.dtype} and ${dtype}; give them separate buffers`,
      );
    bound.elements = Math.max(bound.elements, extent(view));
    if (access === 'read_write') bound.access = access;
    this.#bound.set(buffer, bound);
  }

  /** Adds a declaration at module scope. */
  declare(code: string): void {
    this.#declarations.push(code);
  }

  /** Makes a function of the library known; returns its name. */
  use(fn: LibraryFn): string {
    this.#library.add(fn);
    return libraryName(fn);
  }

  useSubgroups(): void {
    this.#subgroups = true;
  }

  /** The element at a position of a view's buffer, in the type that arithmetic happens in. */
  load(view: View, at: string): string {
    const bound = this.#bound.get(view.buffer)!;
    const { name, dtype, stored, parts } = bound;
    if (stored || parts) return `${name}At(${at})`;
    const to = computeType(view.dtype);
    if (computeType(dtype) !== to) return `bitcast<${to}>(${elementAt(bound, name, at)})`;
    return valueAt(bound, name, at);
  }

  /** Four elements of a view read by fours, as a vec4<f32>. The position is a multiple of four. */
  load4(view: View, at: string): string {
    const bound = this.#bound.get(view.buffer)!;
    const { name, stored, parts } = bound;
    return stored || parts ? `${name}Four(${at})` : fourAt(bound, name, at);
  }

  /** The element of a view at some coordinates. */
  at(view: View, spans: readonly Span[]): string {
    return this.load(view, address(view, spans));
  }

  /** A statement that stores a value of the view's compute type. */
  store(view: View, at: string, value: string): string {
    const { name, dtype } = this.#bound.get(view.buffer)!;
    const from = computeType(view.dtype);
    if (computeType(dtype) !== from) return `${name}[${at}] = bitcast<${dtype}>(${value});`;
    return `${name}[${at}] = ${dtype === from ? value : `${dtype}(${value})`};`;
  }

  /** The value of a scalar of the plan. */
  scalar(index: number): string {
    const scalar = this.plan.scalars[index];
    if (!scalar)
      throw new BackendError(`${this.call.op}: no scalar ${index}: the plan has ${this.plan.scalars.length}`);
    this.#scalars = true;
    const word = `scalars[${index >> 2}][${index & 3}]`;
    return scalar.dtype === 'u32' ? word : `bitcast<${scalar.dtype}>(${word})`;
  }

  /** A whole number that an attribute gives or names, as an i32. */
  integer(attr: Attr | undefined, absent: number): string {
    if (attr === undefined) return `${absent}`;
    if (typeof attr === 'number') return `i32(${attr})`;
    return `i32(${this.scalar((attr as ScalarRef).scalar)})`;
  }

  /** Writes the statements that evaluate an expression; `inputs` gives the value of each input with its type. */
  evaluate(
    expr: Expr,
    spans: readonly Span[],
    inputs: (index: number) => string,
    types: readonly ComputeType[],
  ): [string[], string] {
    const statements: string[] = [];
    const value = emitExpression(expr, {
      types: { inputs: types, scalars: this.plan.scalars.map((s) => s.dtype) },
      input: inputs,
      index: (axis) => coordinate(this.call.output.shape, axis, spans),
      scalar: (index) => this.scalar(index),
      statement: (text) => void statements.push(text),
      use: (fn) => this.use(fn),
    });
    return [statements, value];
  }

  /**
   * Declares `put(value, …)`, which applies the epilogue to a result and stores it. Its further arguments are, where the
   * epilogue takes halves, the result in the second half, and the positions of the given spans, u32 identifiers that it takes
   * as parameters.
   */
  declarePut(spans: readonly Span[], type: ComputeType = 'f32'): void {
    const { output, epilogue, stores = [] } = this.call;
    const results = epilogue?.halves ? ['value', 'second'] : ['value'];
    const inputs = epilogue?.inputs ?? [];
    const [statements, value] = epilogue
      ? this.evaluate(epilogue.expr, spans, (i) => results[i] ?? this.at(inputs[i - results.length]!, spans), [
          ...results.map(() => type),
          ...inputs.map((v) => computeType(v.dtype)),
        ])
      : [[], 'value'];
    const body = [
      ...statements,
      `let result = ${value};`,
      this.store(output, address(output, spans), 'result'),
      ...stores.flatMap((store) => storeStatements(this, spans, store)),
    ];
    const parameters = [...results.map((name) => `${name}: ${type}`), ...spans.map((s) => `${s.at}: u32`)];
    this.declare(`fn put(${parameters.join(', ')}) {\n${indent(body)}\n}`);
  }

  /** How to start `count` workgroups and find the number of this one in `name`; numbers beyond `count` return at once. */
  grid(count: number, name: string): { workgroups: Dispatch['workgroups']; code: string } {
    if (count <= maxWorkgroups) return { workgroups: [count, 1, 1], code: `let ${name} = group.x;` };
    const y = Math.ceil(count / maxWorkgroups);
    const x = Math.ceil(count / y);
    return {
      workgroups: [x, y, 1],
      code: `let ${name} = group.y * ${u32(x)} + group.x;\nif (${name} >= ${u32(count)}) { return; }`,
    };
  }

  /** The finished dispatch. In `body`, `group` is the workgroup's position and `lane` the invocation's number in it. */
  dispatch(size: number, workgroups: Dispatch['workgroups'], body: readonly string[]): Dispatch {
    const all = [...this.#bound.values()];
    const arrays = all.flatMap(arraysOf);
    const declared = arrays.map(
      ({ name, type, access }, i) => `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${type}>;`,
    );
    if (this.#scalars) declared.push(`@group(0) @binding(${arrays.length}) var<uniform> scalars: array<vec4<u32>, 4>;`);
    const code = [
      ...(all.some((b) => b.dtype === 'f16') ? ['enable f16;'] : []),
      ...(this.#subgroups ? ['enable subgroups;', 'diagnostic(off, subgroup_uniformity);'] : []),
      ...declared,
      ...all.flatMap(readingFunctions),
      ...libraryCode(this.#library),
      ...this.#declarations,
      `@compute @workgroup_size(${size})`,
      'fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {',
      indent(body),
      '}',
      '',
    ].join('\n');
    const bindings = arrays.map(({ binding }) => binding);
    return { code, bindings, scalars: this.#scalars, workgroups };
  }
}

/** An array of a shader: a buffer, or a part of one. */
interface BoundArray {
  readonly name: string;
  /** The type and number of its elements. */
  readonly type: string;
  readonly access: Binding['access'];
  readonly binding: Binding;
}

function arraysOf(bound: Bound): BoundArray[] {
  const { name, buffer, dtype, stored, bytes, vector, parts, elements, access } = bound;
  const element = stored
    ? storedElement(stored, vector)
    : { type: vector ? `vec4<${dtype}>` : dtype, bytes: (vector ? 4 : 1) * bytesPer[dtype] };
  const one = (name: string, size: number, range?: Binding['range']): BoundArray => ({
    name,
    type: `${element.type}, ${Math.ceil(size / element.bytes)}`,
    access,
    binding: { buffer, access, ...(range && { range }) },
  });
  if (parts) return parts.map((part) => one(part.name, part.range.size, part.range));
  const size = stored ? bytes : elements * bytesPer[dtype];
  return [one(name, size, buffer === scratch ? { offset: 0, size } : undefined)];
}

/** Functions that read what is not simply an array of numbers. */
function readingFunctions(bound: Bound): string[] {
  const { name, stored, vector, parts } = bound;
  if (!parts) return stored ? [storedFunctions(stored, name, vector)] : [];
  const reader = stored
    ? {
        one: (part: string, at: string) => `${part}At(${at})`,
        four: (part: string, at: string) => `${part}Four(${at})`,
      }
    : {
        one: (part: string, at: string) => valueAt(bound, part, at),
        four: (part: string, at: string) => fourAt(bound, part, at),
      };
  return [
    ...(stored ? parts.map((part) => storedFunctions(stored, part.name, vector)) : []),
    partFunctions(name, parts, reader, vector),
  ];
}

/** The element of an array, as it is. */
const elementAt = ({ vector }: Bound, name: string, at: string): string =>
  vector ? `${name}[(${at}) >> 2u][(${at}) & 3u]` : `${name}[${at}]`;

/** The same in the type that arithmetic happens in. */
function valueAt(bound: Bound, name: string, at: string): string {
  const element = elementAt(bound, name, at);
  const to = computeType(bound.dtype);
  return bound.dtype === to ? element : `${to}(${element})`;
}

const fourAt = ({ dtype }: Bound, name: string, at: string): string =>
  dtype === 'f32' ? `${name}[(${at}) >> 2u]` : `vec4<f32>(${name}[(${at}) >> 2u])`;

export const indent = (lines: readonly string[]): string => lines.join('\n').replace(/^(?=.)/gm, '  ');
