// crossEntropy and crossEntropyGradient: labels, and the gradient of the losses, are views of one element a row.
import type { Kernel } from '@transept/tensor';
import { floatWord } from '../step.ts';
import type { Step } from '../step.ts';
import { rowStep } from './rows.ts';

const kernel: Kernel<Step> = {
  epilogue: true,
  prepare(call, plan) {
    const [, labels, gradient] = call.inputs;
    if (!labels) throw new TypeError(`${call.op}: no labels`);
    return rowStep(
      'crossEntropy',
      call,
      plan,
      'f32',
      (at, [ofLabels, ofGradient]) => [
        floatWord(call.attrs['smoothing'] as number),
        at.address(labels),
        at.words(ofLabels!),
        gradient ? at.address(gradient) : 0,
        gradient ? at.words(ofGradient!) : 0,
      ],
      gradient ? [labels, gradient] : [labels],
    );
  },
};

export const crossEntropy = kernel;
export const crossEntropyGradient = kernel;
