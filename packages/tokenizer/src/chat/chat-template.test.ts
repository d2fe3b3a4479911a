// Conversations become texts; what Jinja itself does is for @huggingface/jinja to test.
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../index.ts';
import { memory } from '../testing.ts';

const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const tokenizer = { model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' }, added_tokens: [] };
const load = async (config: object, files: object = {}): Promise<Tokenizer> =>
  (await loadTokenizer(memory({ 'tokenizer.json': tokenizer, 'tokenizer_config.json': config, ...files })))!;
const messages = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hi' },
];

describe('applyChatTemplate', () => {
  it('renders the template of the config', async () => {
    const text = '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n';
    const chat = await load({ chat_template: CHATML });
    expect(await chat.applyChatTemplate(messages)).toBe(text);
    expect(await chat.applyChatTemplate(messages, { addGenerationPrompt: true })).toBe(
      `${text}<|im_start|>assistant\n`,
    );
  });

  it('knows special tokens, tools, documents and variables', async () => {
    const template =
      '{{ bos_token }}{{ tools[0].name }}{{ documents[0].text }}{{ thinking }}{{ messages[0].content | trim }}{{ eos_token }}';
    const chat = await load({ chat_template: template, bos_token: '<s>', eos_token: { content: '</s>' } });
    const options = { tools: [{ name: 'f' }], documents: [{ text: 'd' }], variables: { thinking: true } };
    expect(await chat.applyChatTemplate([{ role: 'user', content: ' x ' }], options)).toBe('<s>fdtruex</s>');
    expect(await (await load({ chat_template: '{{ tools is none }}' })).applyChatTemplate([])).toBe('true');
  });

  it('chooses one of several', async () => {
    const chat = await load({
      chat_template: [
        { name: 'default', template: 'plain' },
        { name: 'tool_use', template: 'tools' },
        { name: 'rag', template: 'rag' },
      ],
    });
    expect(await chat.applyChatTemplate([])).toBe('plain');
    expect(await chat.applyChatTemplate([], { tools: [] })).toBe('tools');
    expect(await chat.applyChatTemplate([], { template: 'rag' })).toBe('rag');
    await expect(chat.applyChatTemplate([], { template: 'x' })).rejects.toThrow(
      'chat template: there is no template x; known are default, tool_use, rag',
    );
  });

  it('prefers chat_template.jinja', async () => {
    const chat = await load({ chat_template: 'config' }, { 'chat_template.jinja': 'file' });
    expect(await chat.applyChatTemplate([])).toBe('file');
  });

  it.each([
    [{}, 'chat template: the files of this tokenizer have none'],
    [{ chat_template: "{{ raise_exception('no system role') }}" }, 'chat template default: no system role'],
    [{ chat_template: '{% for %}' }, 'chat template default: '],
  ])('says what is wrong with %j', async (config, message) => {
    const chat = await load(config);
    await expect(chat.applyChatTemplate(messages)).rejects.toThrow(message);
  });

  it.each([
    [{ chat_template: 5 }, 'tokenizer_config.json: chat_template: is 5; it must be a template or a list of them'],
    [
      { chat_template: [{ name: 'x' }] },
      'tokenizer_config.json: chat_template[0].template: is missing; it must be a string',
    ],
  ])('refuses %j', async (config, message) => {
    // prettier-ignore
    await expect((await load(config)).applyChatTemplate([])).rejects.toThrow(message);
  });
});
