// What a command is given may be wrong in every part. Each time: one clear line, exit code 2, nothing left allocated.
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, isPlain, openCheckpoint, writeSafetensors } from '@transept/checkpoint';
import type { StoredTensor } from '@transept/checkpoint';
import { BackendError } from '@transept/tensor';
import { describe, expect, test } from 'vitest';
import { copyModel, editJson } from './testing/folders.ts';
import { run } from './testing/terminal.ts';
import { watched } from './testing/watched.ts';

/** Translate with a model, and expect one line of error. */
async function refusal(model: string, text = 'Hallo.'): Promise<string> {
  const watch = watched();
  const args = ['translate', text, '--beams', '1', '--model', model, '--backend', 'watched'];
  const { code, stdout, stderr } = await run(args, { backends: watch.backends });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(watch.left).toEqual([0]);
  expect(stderr).toMatch(/^transept: [^\n]+\n$/);
  return stderr;
}

test('the watch sees what is left', async () => {
  const watch = watched((backend) => {
    backend.alloc(64);
    return backend;
  });
  await run(['backends'], { backends: watch.backends });
  expect(watch.left).toEqual([64]);
});

describe('files', () => {
  test('no such folder', async () => {
    expect(await refusal('nowhere')).toContain('no such folder: nowhere');
  });

  test.each(['config.json', 'model.safetensors'])('%s is missing', async (name) => {
    const model = copyModel();
    rmSync(join(model, name));
    expect(await refusal(model)).toContain(name);
  });

  test('tokenizer.json is missing', async () => {
    const model = copyModel();
    rmSync(join(model, 'tokenizer.json'));
    expect(await refusal(model)).toContain(`${model} has no tokenizer.json`);
  });

  test.each([
    ['config.json', 100],
    ['generation_config.json', 20],
    ['tokenizer.json', 5000],
    ['model.safetensors', 4],
    ['model.safetensors', 2000],
    ['model.safetensors', 1_000_000],
  ])('%s is cut after %i bytes', async (name, bytes) => {
    const model = copyModel();
    truncateSync(join(model, name), bytes);
    expect(await refusal(model)).toContain(name);
  });

  test.each(['config.json', 'tokenizer.json'])('%s holds something else', async (name) => {
    const model = copyModel();
    writeFileSync(join(model, name), '[1, 2]');
    expect(await refusal(model)).toContain(name);
  });
});

describe('weights', () => {
  /** The weights of the default model, with one change. */
  async function rewritten(change: (tensors: Record<string, StoredTensor>) => void): Promise<string> {
    const model = copyModel();
    const { tensors } = await openCheckpoint(folder(model));
    const file = readFileSync(join(model, 'model.safetensors'));
    const stored: Record<string, StoredTensor> = {};
    for (const { name, dtype, shape, start, end } of tensors.values())
      if (isPlain(dtype)) stored[name] = { dtype, shape, data: file.subarray(start, end) };
    change(stored);
    writeFileSync(join(model, 'model.safetensors'), writeSafetensors(stored));
    return model;
  }

  const name = 'model.decoder.layers.1.fc1.weight';

  test('a tensor of another name', async () => {
    const model = await rewritten((tensors) => {
      tensors['model.decoder.layers.1.fc1.weights'] = tensors[name]!;
      delete tensors[name];
    });
    const message = await refusal(model);
    expect(message).toContain(`no tensor "${name}"`);
    expect(message).toContain('among them "model.decoder.layers.1.fc1.weights"');
  });

  test('tensors that are not read are named, and nothing else is wrong', async () => {
    const model = await rewritten((tensors) => {
      for (const i of [1, 2, 3, 4]) tensors[`extra.${i}`] = { dtype: 'F32', shape: [1], data: Float32Array.of(i) };
    });
    const { code, stderr } = await run(['translate', 'Hallo.', '--beams', '1', '--model', model, '--backend', 'cpu']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `transept: ${model} has tensors that this model does not read: "extra.1", "extra.2", "extra.3" and 1 more\n`,
    });
  });

  test('a tensor of another shape', async () => {
    const model = await rewritten((tensors) => {
      tensors[name] = { ...tensors[name]!, shape: [256, 1024] };
    });
    expect(await refusal(model)).toContain(
      `"${name}" in model.safetensors has shape [256, 1024]; expected [1024, 256]`,
    );
  });
});

describe('configuration', () => {
  test.each([
    ['model_type', 'martian', 'config.json: "model_type" is "martian", which is not registered; there is'],
    ['model_type', undefined, 'config.json: "model_type": it is missing'],
    ['d_model', 'big', 'config.json: "d_model": it is "big"; expected a whole number from 1 to 1048576'],
    ['encoder_attention_heads', 7, 'config.json: "encoder_attention_heads": 7 does not divide the width 256'],
    ['activation_function', 'wobble', '"wobble" is no known activation'],
  ])('%s is %s', async (key, value, message) => {
    const model = copyModel();
    editJson(model, 'config.json', (json) => {
      json[key] = value;
    });
    expect(await refusal(model)).toContain(message);
  });

  test('an option of generation that is not supported', async () => {
    const model = copyModel();
    editJson(model, 'generation_config.json', (json) => {
      json.stop_strings = ['x'];
    });
    expect(await refusal(model)).toContain('option "stop_strings" is not supported');
  });
});

describe('texts', () => {
  test('empty, and too long', async () => {
    const model = copyModel();
    expect(await refusal(model, ' ')).toBe('transept: translate: the text is empty; expected a text\n');
    expect(await refusal(model, 'sehr '.repeat(300))).toContain('it has 301 tokens; this model takes at most 256');
  });
});

describe('backends', () => {
  test('a name that is not registered', async () => {
    const { code, stderr } = await run(['translate', 'Hallo', '--backend', 'cuda']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'transept: backend: "cuda" is not registered; there is reference, cpu, webgpu, and --backend-module adds others\n',
    );
    expect((await run(['compare', 'Hallo', '--backends', 'cpu,cuda'])).stderr).toContain(
      'backend: "cuda" is not registered',
    );
  });

  test('a model for which memory does not suffice gets more, unless somebody said how much there is', async () => {
    const asked: (number | undefined)[] = [];
    const watch = watched((backend, { maxBytes }) => {
      asked.push(maxBytes);
      const small = { maxMemoryBytes: maxBytes ?? 1000, moreMemory: { bytes: most, how: 'ask for it' } };
      return Object.assign(backend, { capabilities: { ...backend.capabilities, ...small } });
    });
    const args = ['translate', 'Hallo.', '--beams', '1', '--model', copyModel(), '--backend', 'watched'];
    let most = 2 ** 34;
    const { code, stderr } = await run(args, { backends: watch.backends });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'transept: watched: with 3 GiB, as --memory 3 gives\n' });
    expect(asked).toEqual([undefined, 3 * 2 ** 30]);
    most = 2 ** 30;
    expect((await run(args, { backends: watch.backends })).stderr).toContain('with 1 GiB');
    most = 2000;
    expect((await run(args, { backends: watch.backends })).stderr).toMatch(
      /^transept: load: the weights take \d+ bytes/,
    );
    expect(asked.slice(2)).toEqual([undefined, 2 ** 30, undefined]);
    expect(watch.left).toEqual([0, 0, 0, 0, 0]);
  });

  test('a device that is refused', async () => {
    const refuse = (): never => {
      throw new BackendError('gpu: the adapter refused a device: lost');
    };
    const { code, stderr } = await run(['translate', 'Hallo', '--backend', 'gpu'], { backends: { gpu: refuse } });
    expect(code).toBe(2);
    expect(stderr).toBe('transept: gpu: the adapter refused a device: lost\n');
  });

  test('a device without enough memory', async () => {
    const watch = watched((backend) => {
      const { alloc } = backend;
      backend.alloc = (bytes) => {
        if (backend.memory.bytes + bytes > 10e6) throw new BackendError(`alloc: no room for ${bytes} bytes`);
        return alloc(bytes);
      };
      return backend;
    });
    const { code, stderr } = await run(['translate', 'Hallo', '--backend', 'watched'], { backends: watch.backends });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^transept: load: no memory for "model\.[^\n]*: alloc: no room for \d+ bytes\n$/);
    expect(watch.left).toEqual([0]);
  });

  test('a kernel that fails while translating', async () => {
    const watch = watched((backend) => {
      const { read } = backend;
      let reads = 0;
      backend.load = ((load) => async (plan, bound, options) => {
        if (++reads === 2) throw new BackendError('load: the compiler gave up');
        return load(plan, bound, options);
      })(backend.load);
      backend.read = read;
      return backend;
    });
    const { code, stderr } = await run(['translate', 'Hallo', '--backend', 'watched'], { backends: watch.backends });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'transept: load: the compiler gave up\n' });
    expect(watch.left).toEqual([0]);
  });
});

test('interrupted: exit code 130, nothing said, nothing left', async () => {
  const abort = new AbortController();
  const watch = watched((backend) => {
    backend.load = ((load) => async (plan, bound, options) => {
      const program = await load(plan, bound, options);
      if (plan.name === 'marian step') abort.abort();
      return program;
    })(backend.load);
    return backend;
  });
  const outcome = await run(['translate', 'Hallo.', '--backend', 'watched'], {
    backends: watch.backends,
    signal: abort.signal,
  });
  expect(outcome).toEqual({ code: 130, stdout: '', stderr: '' });
  expect(watch.left).toEqual([0]);
});
