import { describe, expect, it } from 'vitest';
import { OptionError, resolveLengths } from './options.ts';
import { resolveOptions } from './resolve.ts';

describe('resolveOptions', () => {
  it('has the defaults of transformers', () => {
    expect(resolveOptions({})).toMatchObject({
      numBeams: 1,
      doSample: false,
      numReturnSequences: 1,
      earlyStopping: false,
      lengthPenalty: 1,
      topK: 50,
      minLength: 0,
    });
  });

  it('lets the call win over generation_config.json, and that over config.json', () => {
    const generationConfig = {
      num_beams: 4,
      max_length: 256,
      eos_token_id: 0,
      bad_words_ids: [[6000]],
      early_stopping: null,
    };
    const config = { num_beams: 7, length_penalty: 3, eos_token_id: 1, d_model: 256 };
    expect(resolveOptions({ config, generationConfig, call: { numBeams: 2 } })).toMatchObject({
      numBeams: 2,
      maxLength: 256,
      lengthPenalty: 1,
      eosTokenId: [0],
      badWordsIds: [[6000]],
      earlyStopping: false,
    });
    expect(resolveOptions({ config, call: {} })).toMatchObject({ numBeams: 7, lengthPenalty: 3, eosTokenId: [1] });
  });

  it('takes both spellings, but not at once', () => {
    expect(resolveOptions({ call: { max_new_tokens: 5, no_repeat_ngram_size: 2 } })).toMatchObject({
      maxNewTokens: 5,
      noRepeatNgramSize: 2,
    });
    expect(() => resolveOptions({ call: { max_new_tokens: 5, maxNewTokens: 6 } })).toThrow(
      /option max_new_tokens is given twice, also as maxNewTokens/,
    );
  });

  it('unsets what the call sets to null', () => {
    const generationConfig = { forced_eos_token_id: 0, max_new_tokens: 9, top_k: 5, eos_token_id: [1, 2] };
    const options = resolveOptions({
      generationConfig,
      call: { forcedEosTokenId: null, maxNewTokens: null, topK: null, eosTokenId: null },
    });
    expect(options).toMatchObject({ forcedEosTokenId: [], maxNewTokens: undefined, topK: 0, eosTokenId: [] });
  });

  it('finds the start of the decoder: its own, else bos, else that of config.json', () => {
    const start = (generationConfig: object, config: object = {}) =>
      resolveOptions({ config: { ...config }, generationConfig: { ...generationConfig } }).decoderStartTokenId;
    expect(start({ decoder_start_token_id: 3, bos_token_id: 1 })).toBe(3);
    expect(start({ bos_token_id: 1 }, { decoder_start_token_id: 2 })).toBe(1);
    expect(start({}, { decoder_start_token_id: 2 })).toBe(2);
  });

  it('reads old configs: options of an inner decoder, -1 for no token, forced first token of BART', () => {
    const config = {
      decoder: { num_beams: 3, eos_token_id: 5 },
      eos_token_id: 6,
      pad_token_id: -1,
      bos_token_id: 8,
      force_bos_token_to_be_generated: true,
    };
    expect(resolveOptions({ config })).toMatchObject({
      numBeams: 3,
      eosTokenId: [6],
      padTokenId: undefined,
      forcedBosTokenId: 8,
    });
  });

  it('passes over what changes nothing, and over unknown names in files', () => {
    const generationConfig = {
      use_cache: true,
      _from_model_config: true,
      transformers_version: '5.23.0',
      output_attentions: false,
      chat_format: 'x',
      guidance_scale: 1,
      num_beam_groups: 1,
      diversity_penalty: 0,
      cache_implementation: 'static',
      stop_strings: null,
    };
    expect(
      resolveOptions({
        generationConfig,
        call: { use_cache: false, return_dict_in_generate: true, output_scores: true },
      }),
    ).toEqual(resolveOptions({}));
  });

  it('leaves names to the family that knows them', () => {
    const family = new Set(['return_timestamps']);
    expect(resolveOptions({ call: { return_timestamps: true }, family })).toEqual(resolveOptions({}));
  });

  it('does not look at odd sampling options of files without sampling', () => {
    expect(resolveOptions({ generationConfig: { temperature: 0, top_p: 7 } }).temperature).toBe(1);
    expect(() => resolveOptions({ generationConfig: { temperature: 0 }, call: { doSample: true } })).toThrow(
      'generate: option temperature is 0 (from generation_config.json); expected a number above 0; for the best token set doSample to false',
    );
  });

  it.each([
    [{ penalty_alpha: 0.6 }, 'generate: option "penalty_alpha" is not supported: 0.6; leave it out or set it to 0'],
    [{ stop_strings: ['x'] }, 'generate: option "stop_strings" is not supported: ["x"]; leave it out'],
    [{ guidanceScale: 2 }, 'generate: option "guidanceScale" is not supported: 2; leave it out or set it to 1'],
    [{ cache_implementation: 'quantized' }, /"cache_implementation" is not supported: "quantized"/],
    [{ max_tokens: 3 }, /there is no option "max_tokens"; the options are maxNewTokens, maxLength/],
    [{ numBeams: 0 }, 'generate: option numBeams is 0 (from the call); expected a whole number of at least 1'],
    [{ numBeams: 2.5 }, /numBeams is 2\.5/],
    [{ numBeams: '4' }, /numBeams is "4"/],
    [{ earlyStopping: 'always' }, /earlyStopping is "always" .*; expected true, false or "never"/],
    [{ lengthPenalty: NaN }, /lengthPenalty is null/],
    [{ temperature: 0 }, /temperature is 0 /],
    [{ topP: 1.5, doSample: true }, /topP is 1\.5 .*; expected a number from 0 to 1/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty is 0/],
    [
      { badWordsIds: [[1], []] },
      /badWordsIds is \[\[1\],\[\]\] .*; expected a list of lists of token ids, none of them empty/,
    ],
    [{ badWordsIds: [1] }, /badWordsIds is \[1\]/],
    [{ sequenceBias: [[[1]]] }, /sequenceBias is \[\[\[1\]\]\]/],
    [{ eosTokenId: -2 }, /eosTokenId is -2 .*; expected a token id or a list of them/],
    [{ exponentialDecayLengthPenalty: [1] }, /exponentialDecayLengthPenalty is \[1\]/],
    [{ numReturnSequences: 2 }, /numReturnSequences is 2, greedy search gives one/],
    [{ numReturnSequences: 3, numBeams: 2 }, /numReturnSequences is 3; expected at most numBeams, 2/],
    [{ forcedBosTokenId: 3, suppressTokens: [3, 4] }, /forcedBosTokenId is 3, and suppressTokens holds it too/],
  ])('refuses %o', (call, message) => {
    expect(() => resolveOptions({ call })).toThrow(message);
    expect(() => resolveOptions({ call })).toThrow(OptionError);
  });
});

describe('resolveLengths', () => {
  const lengths = (call: object, promptLength: number, maxPositions = 100) =>
    resolveLengths(resolveOptions({ call: { ...call } }), promptLength, { maxPositions });

  it('follows transformers', () => {
    expect(lengths({ maxNewTokens: 5, maxLength: 50 }, 3)).toEqual({ promptLength: 3, maxLength: 8, minLength: 0 });
    expect(lengths({ maxLength: 50, minLength: 4 }, 3)).toEqual({ promptLength: 3, maxLength: 50, minLength: 4 });
    expect(lengths({ minLength: 4, minNewTokens: 2 }, 3)).toMatchObject({ maxLength: 23, minLength: 5 });
    expect(lengths({}, 90).maxLength).toBe(100);
  });

  it('refuses when there is no room', () => {
    expect(() => lengths({ maxLength: 3 }, 3)).toThrow(
      /the prompt has 3 tokens and maxLength is 3; raise maxLength or set maxNewTokens/,
    );
    expect(() => lengths({}, 100)).toThrow(/nothing can be generated/);
  });
});
