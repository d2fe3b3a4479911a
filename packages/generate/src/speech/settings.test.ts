// Prompts as transformers puts them together (`_retrieve_init_tokens`).
import { describe, expect, it } from 'vitest';
import { languageIsOpen, languageTokens, speechPrompt, speechSettings } from './settings.ts';

const multilingual = {
  decoder_start_token_id: 10,
  lang_to_id: { '<|en|>': 20, '<|de|>': 21, '<|yue|>': 22 },
  task_to_id: { transcribe: 30, translate: 31 },
  no_timestamps_token_id: 40,
  is_multilingual: true,
};
const english = { decoder_start_token_id: 10, no_timestamps_token_id: 40, is_multilingual: false };

function prompts(
  call: Readonly<Record<string, unknown>>,
  generationConfig: Readonly<Record<string, unknown>>,
  detected = 22,
): number[][] {
  const settings = speechSettings({ call, generationConfig, config: {} });
  const languages = languageIsOpen(settings) ? [detected, detected] : languageTokens(settings, 2);
  return [0, 1].map((r) => speechPrompt(settings, languages?.[r]));
}

describe('the beginning of what is said', () => {
  it.each([
    [{}, english, [10, 40]],
    [{ returnTimestamps: true }, english, [10]],
    [{}, multilingual, [10, 22, 40]],
    [{ language: 'de' }, multilingual, [10, 21, 30, 40]],
    [{ language: 'German' }, multilingual, [10, 21, 30, 40]],
    [{ language: '<|de|>', task: 'translate' }, multilingual, [10, 21, 31, 40]],
    [{ task: 'translate' }, multilingual, [10, 22, 31, 40]],
    [{ language: 'en', return_timestamps: true }, multilingual, [10, 20, 30]],
    [{ language: 'Cantonese' }, multilingual, [10, 22, 30, 40]],
    [
      {},
      {
        ...multilingual,
        forced_decoder_ids: [
          [1, 21],
          [2, 31],
        ],
      },
      [10, 21, 31, 40],
    ],
    [
      {},
      {
        ...multilingual,
        forced_decoder_ids: [
          [1, null],
          [2, 30],
        ],
      },
      [10, 22, 30, 40],
    ],
    [
      {},
      {
        ...english,
        forced_decoder_ids: [
          [1, null],
          [2, 30],
          [3, 40],
        ],
      },
      [10, 30, 40],
    ],
    [{ returnTimestamps: true }, { ...english, forced_decoder_ids: [[1, 40]] }, [10]],
    [
      { language: 'en' },
      {
        ...multilingual,
        forced_decoder_ids: [
          [1, 21],
          [2, 31],
        ],
      },
      [10, 20, 30, 40],
    ],
  ])('%j of %j', (call, config, expected) => {
    expect(prompts(call, config)).toEqual([expected, expected]);
  });

  it('a language for each row', () => {
    expect(prompts({ language: ['de', 'en'] }, multilingual)).toEqual([
      [10, 21, 30, 40],
      [10, 20, 30, 40],
    ]);
    expect(() => prompts({ language: ['de', 'en', 'de'] }, multilingual)).toThrow('3 entries for 2 rows');
  });
});

describe('what cannot be honoured', () => {
  it.each([
    [{ language: 'Klingon' }, multilingual, 'option language is "Klingon"; this model knows en, de, yue'],
    [{ language: 'de' }, english, 'this model knows English only'],
    [{ task: 'sing' }, multilingual, 'option task is "sing"; this model has transcribe, translate'],
    [{ returnTimestamps: true }, { decoder_start_token_id: 1 }, 'no_timestamps_token_id is not set'],
    [{}, { no_timestamps_token_id: 4 }, 'decoderStartTokenId is not set'],
    [{ noSpeechThreshold: 0.5 }, english, '"no_speech_threshold" is not supported: 0.5'],
    [{}, { ...english, forced_decoder_ids: [[2, 30]] }, 'expected pairs of place and token'],
    [{ task: 5 }, multilingual, 'option task is 5; expected a string'],
    [{}, { ...multilingual, lang_to_id: { en: 'x' } }, 'expected token ids by name'],
  ])('%j of %j', (call, config, message) => {
    expect(() => prompts(call, config)).toThrow(message);
  });
});
