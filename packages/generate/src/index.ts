export { BeamSearch, type BeamLogits, type BeamOptions, type BeamResult, type BeamStep } from './beam.ts';
export { InputError } from './batch.ts';
export type { NumberArray } from './batch.ts';
export { surviving } from './course.ts';
export type { OnDeviceLost } from './course.ts';
export { forward } from './forward.ts';
export type { ForwardOptions, ForwardOutputs, OutputTensor } from './forward.ts';
export { forwardGraph } from './forward-graph.ts';
export type { ForwardGraph } from './forward-graph.ts';
export type { OnPrepare } from './instance.ts';
export { inputNames } from './passes.ts';
export type { ForwardInputs, Rows } from './passes.ts';
export { generate, stream } from './generate.ts';
export type { Generated, GenerateOptions, StepReport } from './generate.ts';
export type { GenerateInputs } from './inputs.ts';
export { pooled } from './pooled.ts';
export type { PooledOptions, Pooling } from './pooled.ts';
export { programsOf } from './programs.ts';
export type { ProgramSizes } from './programs.ts';
export { TokenChooser } from './choose.ts';
export { OptionError, resolveLengths, type GenerationOptions, type Lengths, type ResolvedOptions } from './options.ts';
export {
  applyChain,
  buildChain,
  planGreedy,
  type Chain,
  type ChainContext,
  type GreedyPlan,
} from './processors/chain.ts';
export type { Ban, Processor, Row } from './processors/processor.ts';
export { resolveOptions, type OptionSources } from './resolve.ts';
export { argmax, draw, randomSeed, uniform, uniforms } from './sampling.ts';
export { logSoftmax, softmax } from './softmax.ts';
