// llama.cpp through node-llama-cpp, asked in lines of JSON as remote.ts says: llama-process.ts THREADS.
import { ggufModel } from '../gguf-model.ts';
import { llamaModule, llamaVersion } from './installed.ts';
import { answerLines } from './lines.ts';
import type { Answer, Question } from './remote.ts';

interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(ids: readonly number[], options: object): AsyncIterable<number>;
}
interface LlamaModel {
  createContext(options: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>;
  dispose(): Promise<void>;
}
interface Llama {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<LlamaModel> }>;
}

const threads = Number(process.argv[2]);
const { getLlama } = await llamaModule<Llama>();
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });

let model: LlamaModel | undefined;
let sequence: Sequence | undefined;
let prompt: readonly number[] = [];
let tokens = 0;

async function answer(question: Question): Promise<Answer> {
  if ('prepare' in question) {
    const { model: which, weights, tokens: wanted, rows } = question.prepare;
    if (which !== 'smollm' || rows > 1 || (weights !== 'q8' && weights !== 'q4')) return { ready: false };
    model = await llama.loadModel({ modelPath: ggufModel(weights) });
    prompt = question.ids[0]!;
    tokens = wanted;
    const contextSize = prompt.length + tokens + 16;
    const context = await model.createContext({
      contextSize,
      batchSize: 512,
      threads: { ideal: threads, min: threads },
    });
    sequence = context.getSequence();
    return { ready: true };
  }
  if ('run' in question) return run();
  await model?.dispose();
  return {};
}

/** From the first token to the last. */
async function run(): Promise<Answer> {
  await sequence!.clearHistory();
  const steps: [wall: number, cpu: number][] = [];
  for await (const _ of sequence!.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    const { user, system } = process.cpuUsage();
    if (steps.push([performance.now(), (user + system) / 1000]) >= tokens) break;
  }
  const [first, last] = [steps[0]!, steps.at(-1)!];
  const share = tokens / (tokens - 1);
  return { wallMs: (last[0] - first[0]) * share, cpuMs: (last[1] - first[1]) * share };
}

await answerLines(llamaVersion(), answer);
