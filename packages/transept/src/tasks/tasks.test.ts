// The tasks against the plain forward pass of one text at a time.
import { blobs, memorySink, openCheckpoint, saveCheckpoint } from '@transept/checkpoint';
import type { SavedTensor } from '@transept/checkpoint';
import { forward } from '@transept/generate';
import type { OutputTensor } from '@transept/generate';
import { reference } from '@transept/tensor';
import { describe, expect, test } from 'vitest';
import { load } from '../load.ts';
import type { TextModel } from '../load.ts';
import { openFixture, overlaid, wordTokenizer } from '../testing/models.ts';
import { answer, classify, fillMask, tokenClassify } from './index.ts';

const vocabSize = 93;
const open = (name: string, added?: Readonly<Record<string, unknown>>): Promise<TextModel> =>
  openFixture(name, vocabSize, added);

async function alone(model: TextModel, text: string, pair?: string): Promise<Record<string, OutputTensor>> {
  const { ids, typeIds } = model.tokenizer!.encode(text, pair === undefined ? {} : { pair });
  return { ...(await forward(model.loaded, { inputIds: [ids], tokenTypeIds: [typeIds] })) };
}

const softmax = (logits: ArrayLike<number>): number[] => {
  const all = Array.from(logits, Math.exp);
  return all.map((x) => x / all.reduce((a, b) => a + b));
};

describe('classify', () => {
  const texts = ['w10', ['w20 w21', 'w22'], 'w30 w31 w32 w33 w34 w35 w36 w37 w38'] as const;

  test('probabilities of the classes, best first, of texts and pairs', async () => {
    const model = await open('bert-cls');
    const results = await classify(model, texts, { batchSize: 2 });
    for (const [i, entry] of texts.entries()) {
      const { logits } = typeof entry === 'string' ? await alone(model, entry) : await alone(model, ...entry);
      const scores = softmax(logits!.data);
      expect(results[i]!.map(({ score }) => score)).toEqual(
        results[i]!.map(({ score }) => score).sort((a, b) => b - a),
      );
      for (const { label, score } of results[i]!) expect(score).toBeCloseTo(scores[Number(label.slice(-1))]!, 4);
    }
  });

  test('there may be as many classes as tokens, padding counted', async () => {
    const { loaded, files } = await open('bert-cls');
    const checkpoint = await openCheckpoint(files);
    const classes = 8;
    const kept = [...checkpoint.tensors.keys()].filter((name) => !name.startsWith('classifier.'));
    const tensors = kept.map((name): SavedTensor => {
      const { shape } = checkpoint.tensors.get(name)!;
      return { name, dtype: 'F32', shape, data: () => checkpoint.read(name, { as: 'f32' }) };
    });
    const head = (name: string, shape: readonly number[], data: Float32Array<ArrayBuffer>): SavedTensor => ({
      name: `classifier.${name}`,
      dtype: 'F32',
      shape,
      data: () => data,
    });
    const scores = Float32Array.from({ length: classes }, (_, i) => i);
    tensors.push(head('weight', [classes, 40], new Float32Array(classes * 40)), head('bias', [classes], scores));
    const id2label = Object.fromEntries(Array.from(scores, (i) => [i, `c${i}`]));
    const written = new Map<string, Blob>();
    await saveCheckpoint(memorySink(written), { ...loaded.config, id2label }, tensors);
    const whole = overlaid(blobs(Object.fromEntries(written)), { 'tokenizer.json': wordTokenizer(vocabSize) });
    using model = await load(whole, { backend: reference() });
    const [result] = await classify(model, ['w10']);
    expect(result!.map(({ label }) => label)).toEqual(['c7', 'c6', 'c5', 'c4', 'c3', 'c2', 'c1', 'c0']);
    expect(result!.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
  });

  test('labels that exclude nothing have scores of their own; a regression has none', async () => {
    const config = (await open('bert-cls')).loaded.config;
    const of = async (problem: string): Promise<number[]> => {
      const model = await open('bert-cls', { 'config.json': { ...config, problem_type: problem } });
      return (await classify(model, ['w10']))[0]!.map(({ score }) => score);
    };
    const logits = [...(await alone(await open('bert-cls'), 'w10'))['logits']!.data].sort((a, b) => b - a);
    (await of('multi_label_classification')).forEach((s, i) =>
      expect(s).toBeCloseTo(1 / (1 + Math.exp(-logits[i]!)), 4),
    );
    (await of('regression')).forEach((s, i) => expect(s).toBeCloseTo(logits[i]!, 4));
  });
});

describe('tokenClassify', () => {
  const labels = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
  const text = 'w10 w20 w30 w40  w50 w60 w70 w80';
  const named = async (): Promise<TextModel> => {
    const { config } = (await open('bert-tok')).loaded;
    return open('bert-tok', {
      'config.json': { ...config, id2label: Object.fromEntries(labels.map((l, i) => [i, l])) },
    });
  };

  test('the class of every token with its place', async () => {
    const model = await named();
    const [entities] = await tokenClassify(model, [text], { join: false, outside: '' });
    const { data } = (await alone(model, text))['logits']!;
    expect(entities!.map((e) => text.slice(e.start, e.end))).toEqual(text.split(/ +/));
    entities!.forEach(({ label, score }, t) => {
      const scores = softmax(data.subarray((t + 1) * 5, (t + 2) * 5));
      expect(scores[labels.indexOf(label)]).toBe(Math.max(...scores));
      expect(score).toBeCloseTo(Math.max(...scores), 4);
    });
  });

  test('neighbours of one class are one, and those outside are left out', async () => {
    const model = await named();
    const [each] = await tokenClassify(model, [text], { join: false, outside: '' });
    const groups: string[] = [];
    each!.forEach(({ label, text: word }, t) => {
      const [kind, last] = [label.slice(2), each![t - 1]?.label.slice(2)];
      if (t > 0 && kind === last && !label.startsWith('B-')) groups.push(`${groups.pop()} ${word}`);
      else groups.push(`${kind}:${word}`);
    });
    const [entities] = await tokenClassify(model, [text]);
    const found = entities!.map((e) => `${e.label}:${e.text.replace(/ +/g, ' ')}`);
    expect(found).toEqual(groups.filter((g) => !g.startsWith(':')));
    expect(found.length).toBeGreaterThan(0);
  });
});

describe('answer', () => {
  const question = 'w5 w6';
  const context = Array.from({ length: 20 }, (_, i) => `w${20 + i}`).join(' ');

  test('the likeliest span of the context', async () => {
    const model = await open('bert-qa');
    const { start_logits: s, end_logits: e } = await alone(model, question, context);
    const first = 4; // [CLS] w5 w6 [SEP]
    const [starts, ends] = [s!, e!].map(({ data }) => softmax(data.subarray(first, first + 20)));
    let best = { score: 0, from: 0, to: 0 };
    for (let from = 0; from < 20; from++)
      for (let to = from; to < Math.min(20, from + 4); to++) {
        const score = starts![from]! * ends![to]!;
        if (score > best.score) best = { score, from, to };
      }
    const [found] = await answer(model, { question, context }, { maxAnswerTokens: 4 });
    expect(found!.text).toBe(
      context
        .split(' ')
        .slice(best.from, best.to + 1)
        .join(' '),
    );
    expect(context.slice(found!.start, found!.end)).toBe(found!.text);
    expect(found!.score).toBeCloseTo(best.score, 4);
  });

  test('a text that is too long is read in pieces; answers come once each', async () => {
    const model = await open('bert-qa');
    const long = Array.from({ length: 120 }, (_, i) => `w${5 + (i % 80)}`).join(' ');
    const found = await answer(model, { question, context: long }, { top: 4, stride: 10 });
    expect(found).toHaveLength(4);
    expect(new Set(found.map(({ start, end }) => `${start} ${end}`)).size).toBe(4);
    for (const { start, end, text } of found) expect(long.slice(start, end)).toBe(text);
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
  });

  test('a question that leaves no room', async () => {
    const model = await open('bert-qa');
    await expect(answer(model, { question: context.repeat(3), context })).rejects.toThrow('answer: the question has');
  });
});

describe('fillMask', () => {
  test('the best tokens of every gap', async () => {
    const model = await open('bert');
    const text = 'w10 [MASK] w30 [MASK]';
    const gaps = await fillMask(model, text, { top: 3 });
    const { data } = (await alone(model, text))['logits']!;
    expect(gaps).toHaveLength(2);
    for (const [g, t] of [2, 4].entries()) {
      const scores = softmax(data.subarray(t * vocabSize, (t + 1) * vocabSize));
      const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 3);
      expect(gaps[g]!.map(({ id }) => id)).toEqual(best);
      gaps[g]!.forEach(({ score, id }) => expect(score).toBeCloseTo(scores[id]!, 4));
    }
    await expect(fillMask(model, 'w10')).rejects.toThrow('the text has no gap; write [MASK]');
  });

  test('a model for something else is refused', async () => {
    await expect(fillMask(await open('bert-cls'), 'w10 [MASK]')).rejects.toThrow(
      'fillMask: bert-cls is a "bert" for sequenceClassification; take one for maskedTokens',
    );
  });
});
