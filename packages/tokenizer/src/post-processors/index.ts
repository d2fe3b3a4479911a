// Every post-processor of tokenizer.json by its `type`.
import { withDetails } from '../encoding.ts';
import type { Json } from '../json.ts';
import { bert, roberta } from './bert.ts';
import type { PostProcessor } from './post-processor.ts';
import { template } from './template.ts';
import { trim } from './trim.ts';

const postProcessors: Readonly<Record<string, (json: Json) => PostProcessor>> = {
  BertProcessing: bert,
  ByteLevel: byteLevel,
  RobertaProcessing: roberta,
  Sequence: sequence,
  TemplateProcessing: template,
};

export function readPostProcessor(json: Json): PostProcessor {
  return json.missing ? { added: () => 0, process: (parts) => parts } : json.build(postProcessors);
}

function byteLevel(json: Json): PostProcessor {
  const trims = json.at('trim_offsets').boolean();
  const addsSpace = json.at('add_prefix_space').boolean();
  return {
    added: () => 0,
    process: (parts) => (trims ? parts.map((part) => withDetails(part, (details) => trim(details, addsSpace))) : parts),
  };
}

function sequence(json: Json): PostProcessor {
  const processors = json.at('processors').list().map(readPostProcessor);
  return {
    added: (pair) => processors.reduce((sum, processor) => sum + processor.added(pair), 0),
    process: (parts, addSpecialTokens) =>
      processors.reduce((result, processor) => processor.process(result, addSpecialTokens), parts),
  };
}
