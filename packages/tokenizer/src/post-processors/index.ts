// Every post-processor of tokenizer.json by its `type`.
import type { Json } from '../json.ts';
import type { PostProcessor } from './post-processor.ts';
import { template } from './template.ts';

const postProcessors: Readonly<Record<string, (json: Json) => PostProcessor>> = {
  TemplateProcessing: template,
};

export function readPostProcessor(json: Json): PostProcessor {
  return json.missing ? { added: () => 0, process: (parts) => parts } : json.build(postProcessors);
}
