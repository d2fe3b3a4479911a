export { onnxCases } from './cases.ts';
export type { OnnxCase, OnnxTensor } from './format.ts';
