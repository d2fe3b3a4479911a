// What a bisected model is run on: a text, and for an encoder-decoder what the first backend makes of it.
import { forwardGraph, generate, inputNames } from '@transept/generate';
import type { ForwardGraph, ForwardInputs } from '@transept/generate';
import type { BisectInputs } from '@transept/conformance';
import { elements } from '@transept/tensor';
import type { TextModel } from 'transept';
import { CommandError } from '../errors.ts';
import { checkText } from '../texts.ts';

/** The longest pass worth taking apart. */
const mostTokens = 24;

/** Inputs of one pass. Without a text, ids 1, 2, 3 …, or a text that any model has words for. */
export async function passInputs(
  model: TextModel,
  text: string | undefined,
  signal: AbortSignal,
): Promise<ForwardInputs> {
  const { loaded, tokenizer } = model;
  const [needed] = inputNames(loaded.model);
  if (needed !== 'input_ids')
    throw new CommandError(`bisect: ${model.name} takes ${needed}; only models that read text can be bisected`);
  const source = tokenizer ? encoded(model, text ?? 'Hallo, wie geht es dir?') : firstIds(model, text);
  if (loaded.model.kind !== 'encoder-decoder') return { inputIds: [source] };
  const options = {
    generationConfig: model.generationConfig,
    numBeams: 1,
    numReturnSequences: 1,
    maxNewTokens: mostTokens,
    signal,
  };
  const { sequences } = await generate(loaded, { inputIds: [source] }, options);
  // Nothing is chosen after the last token.
  return { inputIds: [source], decoderInputIds: [[...sequences[0]!].slice(0, -1)] };
}

function encoded(model: TextModel, text: string): readonly number[] {
  checkText({ text, place: 'the text' }, model, 'bisect');
  return model.tokenizer!.ids(text, { padding: false });
}

function firstIds({ name, loaded }: TextModel, text: string | undefined): number[] {
  if (text !== undefined)
    throw new CommandError(`bisect: ${name} has no tokenizer.json; leave out the text to use ids`);
  const { model } = loaded;
  const count = model.kind === 'vision' ? 0 : Math.min(8, model.vocabSize - 1, model.maxPositions);
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** The graph of the pass, with weights as the first backend has them. */
export function graphOf(
  { loaded }: TextModel,
  inputs: ForwardInputs,
): { traced: ForwardGraph['traced']; contents: BisectInputs['contents'] } {
  const { traced, values } = forwardGraph(loaded.model, inputs);
  return {
    traced,
    async contents(name) {
      const given = values[name];
      if (given) return given as Int32Array<ArrayBuffer>;
      const parameter = traced.graph.parameters.get(name)!;
      const bytes = await loaded.backend.read(loaded.parameter(parameter), 0, 4 * elements(parameter.shape));
      return new Float32Array(bytes.buffer);
    },
  };
}
