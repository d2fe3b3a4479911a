// Every post-processor of tokenizer.json by its `type`.
import type { Json, Parts } from '../json.ts';
import type { PostProcessor } from './post-processor.ts';
import { bert, byteLevel, roberta, templateProcessing } from './template.ts';

const postProcessors: Parts<PostProcessor> = {
  BertProcessing: bert,
  ByteLevel: byteLevel,
  RobertaProcessing: roberta,
  Sequence: sequence,
  TemplateProcessing: templateProcessing,
};

export async function readPostProcessor(json: Json): Promise<PostProcessor> {
  return json.missing ? { added: () => 0, process: (parts) => parts } : json.build(postProcessors);
}

async function sequence(json: Json): Promise<PostProcessor> {
  const processors = await Promise.all(json.at('processors').list().map(readPostProcessor));
  return {
    added: (pair) => processors.reduce((sum, processor) => sum + processor.added(pair), 0),
    process: (parts, addSpecialTokens) =>
      processors.reduce((result, processor) => processor.process(result, addSpecialTokens), parts),
  };
}
