// Chat templates: a conversation becomes the text that a model was trained on. Templates are Jinja, which @huggingface/jinja
// runs; it is loaded when the first conversation is rendered.
import { TokenizerError } from '../errors.ts';
import { Json, show } from '../json.ts';

export interface ChatMessage {
  /** Who speaks: system, user, assistant, tool. */
  readonly role: string;
  /** Text, or a list of parts where the template takes such. */
  readonly content?: unknown;
  /** What else the template knows, like tool_calls. */
  readonly [field: string]: unknown;
}

export interface ChatOptions {
  /** Ends with what begins an answer of the assistant; default false. */
  addGenerationPrompt?: boolean;
  /** Functions that the model may call, as JSON schemas. */
  tools?: readonly unknown[];
  /** Documents that the model may quote. */
  documents?: readonly unknown[];
  /** Which of several templates; default `default`, or `tool_use` where there is one and tools are given. */
  template?: string;
  /** Anything else that the template reads, like enable_thinking. */
  variables?: Readonly<Record<string, unknown>>;
}

/** Reads the template when it is first asked for. */
export type Chat = () => Promise<ChatTemplate | undefined>;

export interface ChatTemplateParts {
  /** By name; one that has no name is `default`. */
  readonly templates: Readonly<Record<string, string>>;
  /** What templates call bos_token, eos_token and so on. */
  readonly tokens: Readonly<Record<string, string>>;
}

type Program = { render(variables: Record<string, unknown>): string };

export class ChatTemplate {
  readonly #parts: ChatTemplateParts;
  readonly #programs = new Map<string, Program>();

  constructor(parts: ChatTemplateParts) {
    this.#parts = parts;
  }

  /** Throws TokenizerError when the template is wrong or refuses the conversation. */
  async render(messages: readonly ChatMessage[], options: ChatOptions = {}): Promise<string> {
    const { addGenerationPrompt = false, tools, documents, variables } = options;
    const name = this.#choose(options);
    try {
      return (await this.#program(name)).render({
        ...this.#parts.tokens,
        messages,
        tools: tools ?? null,
        documents: documents ?? null,
        add_generation_prompt: addGenerationPrompt,
        ...variables,
      });
    } catch (error) {
      throw new TokenizerError(`chat template ${name}: ${(error as Error).message}`, { cause: error });
    }
  }

  #choose({ template, tools }: ChatOptions): string {
    const { templates } = this.#parts;
    const name = template ?? (tools && Object.hasOwn(templates, 'tool_use') ? 'tool_use' : 'default');
    if (Object.hasOwn(templates, name)) return name;
    const known = Object.keys(templates).join(', ') || 'none';
    throw new TokenizerError(`chat template: there is no template ${name}; known are ${known}`);
  }

  async #program(name: string): Promise<Program> {
    const { Template } = await import('@huggingface/jinja');
    const program = this.#programs.get(name) ?? new Template(this.#parts.templates[name]!);
    this.#programs.set(name, program);
    return program;
  }
}

/** `chat_template` of tokenizer_config.json: one text, or a list of names and texts. */
export function readTemplates(json: Json): Record<string, string> {
  if (json.missing) return {};
  if (typeof json.value === 'string') return { default: json.value };
  if (!Array.isArray(json.value)) json.fail(`is ${show(json.value)}; it must be a template or a list of them`);
  return Object.fromEntries(json.list().map((each) => [each.at('name').string(), each.at('template').string()]));
}
