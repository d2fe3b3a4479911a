// The losses of heads, and what decoders read, as transformers has them. Losses of recorded models are verified with their calls.
import { lower, reference, trace } from '@transept/tensor';
import type { Buffer, Tensor } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { decoderIdsFrom } from './decoder-ids.ts';
import { lossOf } from './loss.ts';
import { createModel } from './registry.ts';

type Data = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
interface Given {
  readonly shape: readonly number[];
  readonly data: Data;
}
const floats = (shape: readonly number[], ...data: number[]): Given => ({ shape, data: Float32Array.from(data) });
const ids = (shape: readonly number[], ...data: number[]): Given => ({ shape, data: Int32Array.from(data) });

/** The loss of a BERT with a head for outputs and targets. */
async function loss(
  config: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, Given>>,
): Promise<number> {
  const model = createModel({ model_type: 'bert', ...config });
  using backend = reference();
  const traced = trace('loss', (g) => {
    const tensors: Record<string, Tensor> = {};
    for (const [name, { shape, data }] of Object.entries(given))
      tensors[name] = g.input(name, shape, data instanceof Int32Array ? 'i32' : 'f32');
    return { loss: lossOf(model, tensors, tensors) };
  });
  const plan = lower(traced, backend, { readback: ['loss'] });
  const buffers: Record<string, Buffer> = {};
  for (const b of plan.buffers) if (b.kind === 'bound') buffers[b.name] = backend.alloc(b.bytes);
  for (const [name, { data }] of Object.entries(given)) backend.write(buffers[name]!, data);
  using program = await backend.load(plan, buffers);
  program.run();
  return new Float32Array((await program.read('loss')).buffer)[0]!;
}

const minusLog = (...logits: number[]): number =>
  -Math.log(Math.exp(logits[0]!) / logits.reduce((s, x) => s + Math.exp(x), 0));

describe('classification', () => {
  const classes = { architectures: ['BertForSequenceClassification'] };
  const logits = floats([2, 2], 1, 3, -1, 0);

  it('of one class a text', async () => {
    const labels = ids([2], 1, 0);
    expect(await loss(classes, { logits, labels })).toBeCloseTo((minusLog(3, 1) + minusLog(-1, 0)) / 2, 5);
  });

  it('of several classes a text', async () => {
    const labels = floats([2, 2], 1, 0, 1, 1);
    const expected = [minusLog(1, 0), minusLog(0, 3), minusLog(-1, 0), minusLog(0, 0)].reduce((a, b) => a + b) / 4;
    expect(await loss(classes, { logits, labels })).toBeCloseTo(expected, 5);
  });

  it('of numbers, where there is one or the configuration says so', async () => {
    const one = await loss({ ...classes, num_labels: 1 }, { logits: floats([2, 1], 1, 3), labels: floats([2], 0, 5) });
    expect(one).toBeCloseTo(2.5, 5);
    const two = await loss({ ...classes, problem_type: 'regression' }, { logits, labels: floats([2, 2], 1, 1, -1, 2) });
    expect(two).toBeCloseTo(2, 5);
  });

  it('of a kind that is none', () => {
    expect(() => createModel({ model_type: 'bert', ...classes, problem_type: 'ranking' })).toThrow(
      '"problem_type": "ranking" is none; expected one of regression',
    );
  });
});

it('of answers: places before the text are its first token, those behind it do not count', async () => {
  const given = {
    start_logits: floats([2, 3], 1, 2, 3, 4, 0, 1),
    end_logits: floats([2, 3], 0, 0, 2, 1, 1, 0),
    startPositions: ids([2], 2, -4),
    endPositions: ids([2], 2, 3),
  };
  const expected = ((minusLog(3, 1, 2) + minusLog(4, 0, 1)) / 2 + minusLog(2, 0, 0)) / 2;
  expect(await loss({ architectures: ['BertForQuestionAnswering'] }, given)).toBeCloseTo(expected, 5);
});

it('of both that BERT was pretrained for', async () => {
  const given = {
    prediction_logits: floats([1, 2, 2], 0, 1, 2, 0),
    seq_relationship_logits: floats([1, 2], 2, 1),
    labels: ids([1, 2], -100, 1),
    pairLabels: ids([1], 0),
  };
  expect(await loss({ architectures: ['BertForPreTraining'] }, given)).toBeCloseTo(minusLog(0, 2) + minusLog(2, 1), 5);
});

it('of replaced tokens, padding left out', async () => {
  const given = { logits: floats([1, 3], 2, -1, 9), labels: ids([1, 3], 1, 0, 0), mask: ids([1, 3], 1, 1, 0) };
  const expected = (minusLog(2, 0) + minusLog(0, -1)) / 2;
  expect(await loss({ model_type: 'electra', architectures: ['ElectraForPreTraining'] }, given)).toBeCloseTo(
    expected,
    5,
  );
});

it('there is none without a head, or without labels', async () => {
  const hidden = floats([1, 1, 2], 1, 2);
  await expect(loss({}, { last_hidden_state: hidden })).rejects.toThrow('loss: a "bert" without a head has none');
  await expect(loss({ architectures: ['BertForMaskedLM'] }, { logits: hidden })).rejects.toThrow(
    'loss: labels is missing; the loss of this "bert" needs it',
  );
});

it('what decoders read is the labels one place later', () => {
  const labels = [[5, 6, 7, 2, -100], [8, 2, -100, -100, -100]]; // prettier-ignore
  const config = { pad_token_id: 1, decoder_start_token_id: 3 };
  expect(decoderIdsFrom(labels, config).map((row) => [...row])).toEqual([[3, 5, 6, 7, 2], [3, 8, 2, 1, 1]]); // prettier-ignore
  const turned = decoderIdsFrom(labels, { ...config, model_type: 'mbart' });
  expect(turned.map((row) => [...row])).toEqual([[2, 5, 6, 7, 2], [2, 8, 2, 1, 1]]); // prettier-ignore
});
