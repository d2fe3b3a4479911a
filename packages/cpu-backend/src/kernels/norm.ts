// layerNorm and rmsNorm.
import type { Call, Kernel } from '@transept/tensor';
import { floatWord } from '../step.ts';
import type { Step } from '../step.ts';
import { rowStep } from './rows.ts';

function declines({ inputs: [, ...weights] }: Call): string | undefined {
  const odd = weights.find((w) => w.shape[0]! > 1 && w.strides[0] !== 1);
  return odd && `a weight has stride ${odd.strides[0]}; it must be contiguous`;
}

export const layerNorm: Kernel<Step> = {
  epilogue: true,
  declines,
  prepare: (call, plan) =>
    rowStep('norm', call, plan, 'f32', (at) => [
      floatWord(call.attrs['eps'] as number),
      at.address(call.inputs[1]!),
      at.address(call.inputs[2]!),
    ]),
};

export const rmsNorm: Kernel<Step> = {
  epilogue: true,
  declines,
  prepare: (call, plan) =>
    rowStep('norm', call, plan, 'f32', (at) => [
      floatWord(call.attrs['eps'] as number),
      at.address(call.inputs[1]!),
      0,
    ]),
};
