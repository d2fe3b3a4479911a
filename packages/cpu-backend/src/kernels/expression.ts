// Compiles scalar expressions to instructions over blocks (`assembly/expression.ts`). Equal subexpressions are computed once;
// registers are reused as soon as nobody reads them any more. The last instruction writes slot 0, the result.
import { collapse, computeType, elements, expr as exprs, isContiguous } from '@transept/tensor';
import type { Call, ComputeType, Expr, Layout, Plan, ScalarFn, View } from '@transept/tensor';
import { byteStrides, floatWord } from '../step.ts';
import type { Placement } from '../step.ts';
import { opcodes } from './opcodes.ts';
import type { Opcode } from './opcodes.ts';

const blockBytes = 1024;
const laneBytes = 16;
const slotBytes = 16;
/** What a row pointer takes, at most. */
const pointerBytes = 8;
/** Rows shorter than this are not computed one by one. */
const shortRow = 32;

/** A value an expression reads. */
type Leaf =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'index'; readonly axis: number }
  | { readonly kind: 'scalar'; readonly scalar: number }
  | { readonly kind: 'const'; readonly word: number };

interface Instruction {
  readonly code: Opcode;
  readonly args: readonly Value[];
}
/** The leaf or the instruction of that number. */
interface Value {
  readonly of: 'leaf' | 'instruction';
  readonly at: number;
}

interface Code {
  readonly leaves: readonly Leaf[];
  readonly instructions: readonly Instruction[];
}

/** An expression ready to be placed: what `Placement` does not decide is decided. */
export interface CompiledExpression {
  readonly scratchBytes: number;
  readonly instructions: number;
  /** The address of the block that `evaluate` takes. */
  place(at: Placement): number;
}

const integerForms: Partial<Record<ScalarFn, readonly [i32: Opcode, u32: Opcode]>> = {
  add: ['addI', 'addI'],
  sub: ['subI', 'subI'],
  mul: ['mulI', 'mulI'],
  div: ['divI', 'divU'],
  mod: ['modI', 'modU'],
  max: ['maxI', 'maxU'],
  min: ['minI', 'minU'],
  neg: ['negI', 'negI'],
  abs: ['absI', 'move'],
  sign: ['signI', 'signU'],
  less: ['lessI', 'lessU'],
  lessEqual: ['lessEqualI', 'lessEqualU'],
  equal: ['equalI', 'equalI'],
  select: ['select', 'select'],
  and: ['and', 'and'],
  or: ['or', 'or'],
  xor: ['xor', 'xor'],
  shiftLeft: ['shiftLeft', 'shiftLeft'],
  shiftRight: ['shiftRightI', 'shiftRightU'],
};

function applyCode(fn: ScalarFn, type: ComputeType): Opcode {
  if (type !== 'f32') {
    const forms = integerForms[fn];
    if (forms) return forms[type === 'i32' ? 0 : 1];
  }
  return fn as Opcode;
}

function castCode(from: ComputeType, to: ComputeType): Opcode {
  if (from === to || (from !== 'f32' && to !== 'f32')) return 'move';
  if (from === 'f32') return to === 'i32' ? 'floatToI' : 'floatToU';
  return from === 'i32' ? 'iToFloat' : 'uToFloat';
}

const constantWord = (value: number, dtype: ComputeType): number => (dtype === 'f32' ? floatWord(value) : value | 0);

/** Flatten an expression to instructions in the order of evaluation. */
function flatten(expr: Expr, inputs: readonly ComputeType[], scalars: readonly ComputeType[]): Code {
  const leaves: Leaf[] = [];
  const instructions: Instruction[] = [];
  const known = new Map<string, Value>();
  const types = { inputs, scalars };
  const remember = (key: string, make: () => Value): Value => {
    let value = known.get(key);
    if (!value) known.set(key, (value = make()));
    return value;
  };
  const leaf = (key: string, made: Leaf): Value => remember(key, () => ({ of: 'leaf', at: leaves.push(made) - 1 }));
  const emit = (code: Opcode, args: readonly Value[]): Value =>
    remember(`${code}(${args.map((a) => a.of + a.at).join()})`, () => ({
      of: 'instruction',
      at: instructions.push({ code, args }) - 1,
    }));
  const visit = (e: Expr): Value => {
    switch (e.kind) {
      case 'input':
        return leaf(`input ${e.index}`, { kind: 'input', index: e.index });
      case 'index':
        return leaf(`index ${e.axis}`, { kind: 'index', axis: e.axis });
      case 'scalar':
        return leaf(`scalar ${e.scalar}`, { kind: 'scalar', scalar: e.scalar });
      case 'const': {
        const word = constantWord(e.value, e.dtype);
        return leaf(`const ${word}`, { kind: 'const', word });
      }
      case 'cast': {
        const arg = visit(e.arg);
        const code = castCode(exprs.exprType(e.arg, types), e.dtype);
        return code === 'move' ? arg : emit(code, [arg]);
      }
      case 'apply': {
        const args = e.args.map(visit);
        const typed = e.fn === 'select' ? e.args[1]! : e.args[0]!;
        return emit(applyCode(e.fn, exprs.exprType(typed, types)), args);
      }
      default:
        return e satisfies never;
    }
  };
  const result = visit(expr);
  // The result must come from the last instruction.
  if (result.of === 'leaf' || result.at !== instructions.length - 1)
    instructions.push({ code: 'move', args: [result] });
  return { leaves, instructions };
}

/** Give every instruction but the last a register, reusing those whose values have been read for the last time. */
function allocateRegisters({ instructions }: Code): { registers: number; of: number[] } {
  const lastUse = new Array<number>(instructions.length).fill(-1);
  instructions.forEach(({ args }, i) => {
    for (const arg of args) if (arg.of === 'instruction') lastUse[arg.at] = i;
  });
  const free: number[] = [];
  const of: number[] = [];
  let registers = 0;
  instructions.forEach(({ args }, i) => {
    const ending = new Set(args.filter((a) => a.of === 'instruction' && lastUse[a.at] === i).map((a) => of[a.at]!));
    free.push(...ending);
    of.push(i === instructions.length - 1 ? -1 : (free.pop() ?? registers++));
  });
  return { registers, of };
}

/**
 * Compile an expression over `output`. `views[i]` is what input i reads, in the output's shape; for an epilogue input 0 is
 * the output itself.
 */
export function compileExpression(expr: Expr, views: readonly View[], output: View, plan: Plan): CompiledExpression {
  const code = flatten(
    expr,
    views.map((v) => computeType(v.dtype)),
    plan.scalars.map((s) => s.dtype),
  );
  const { leaves, instructions } = code;
  const { registers, of } = allocateRegisters(code);
  const { shape, strides } = collapse([output, ...views]);
  if (shape.length === 0) {
    shape.push(1);
    for (const s of strides) s.push(1);
  }
  const rank = shape.length;
  const inner = shape[rank - 1]!;
  const total = elements(output.shape);
  const merged = (k: number): Layout => ({ offset: 0, shape, strides: strides[k]! });
  const flat = rank > 1 && inner < shortRow;

  const operands: { leaf: number; kind: number; view: number; divisor: number; modulus: number }[] = [];
  leaves.forEach((leaf, at) => {
    if (leaf.kind === 'input') {
      const s = strides[leaf.index + 1]!;
      let kind = 2;
      if (flat) kind = isContiguous(merged(leaf.index + 1)) ? 0 : s.every((d) => d === 0) ? 1 : 2;
      else if (s[rank - 1] === 1) kind = 0;
      else if (s[rank - 1] === 0) kind = 1;
      operands.push({ leaf: at, kind, view: leaf.index, divisor: 0, modulus: 0 });
    } else if (leaf.kind === 'index') {
      const divisor = elements(output.shape.slice(leaf.axis + 1));
      operands.push({ leaf: at, kind: 3, view: -1, divisor, modulus: output.shape[leaf.axis]! });
    }
  });

  // Scratch: slots, operands' row pointers, staged result, blocks and lanes of operands, registers.
  const align = (n: number): number => Math.ceil(n / laneBytes) * laneBytes;
  const slots = 1 + leaves.length + registers;
  const rowsAt = align(slots * slotBytes);
  const stagedAt = rowsAt + align(operands.length * pointerBytes);
  let scratchBytes = stagedAt + blockBytes;
  const operandAt = new Map<number, number>();
  for (const { leaf, kind } of operands) {
    operandAt.set(leaf, scratchBytes);
    if (kind !== 0) scratchBytes += kind === 1 ? laneBytes : blockBytes;
  }
  const registersAt = scratchBytes;
  scratchBytes += registers * blockBytes;

  const slotOf = (value: Value): number => {
    if (value.of === 'leaf') return 1 + value.at;
    return of[value.at]! < 0 ? 0 : 1 + leaves.length + of[value.at]!;
  };

  return {
    scratchBytes,
    instructions: instructions.length,
    place(at) {
      const template: number[] = [1, stagedAt, laneBytes];
      leaves.forEach((leaf, i) => {
        if (leaf.kind === 'const') template.push(0, at.words(new Array<number>(4).fill(leaf.word)), 0);
        else if (leaf.kind === 'scalar') template.push(0, at.scalarLanes(leaf.scalar), 0);
        else {
          const operand = operands.find((o) => o.leaf === i)!;
          template.push(1, operandAt.get(i)!, operand.kind === 1 ? 0 : laneBytes);
        }
      });
      for (let r = 0; r < registers; r++) template.push(1, registersAt + r * blockBytes, laneBytes);
      return at.block([
        rank,
        inner,
        flat ? 1 : 0,
        at.words(shape),
        operands.length,
        at.block(
          operands.flatMap(({ leaf, kind, view, divisor, modulus }) => [
            kind,
            view < 0 ? 0 : at.address(views[view]!),
            1 + leaf,
            view < 0 ? 0 : at.words(byteStrides(strides[view + 1]!)),
            divisor,
            modulus,
          ]),
        ),
        instructions.length,
        at.words(
          instructions.flatMap(({ code, args }, i) => [
            opcodes.indexOf(code),
            slotOf({ of: 'instruction', at: i }),
            ...[0, 1, 2].map((a) => (args[a] ? slotOf(args[a]) : 0)),
          ]),
        ),
        slots,
        at.block(template),
        at.address(output),
        at.words(byteStrides(strides[0]!)),
        (flat ? isContiguous(merged(0)) : strides[0]![rank - 1] === 1) ? 1 : 0,
        total,
        rowsAt,
      ]);
    },
  };
}

/** A call's epilogue. It works in place: input 0, of the type the operation gives, and the result are both the call's output. */
export function compileEpilogue(call: Call, result: ComputeType, plan: Plan): CompiledExpression | undefined {
  if (!call.epilogue) return undefined;
  const { expr, inputs } = call.epilogue;
  return compileExpression(expr, [{ ...call.output, dtype: result }, ...inputs], call.output, plan);
}
