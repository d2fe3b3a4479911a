// ByteLevel: GPT-2's words, then the bytes of each as characters.
import { toByteCharacters } from '../byte-level.ts';
import type { Json } from '../json.ts';
import { beginWith } from './metaspace.ts';
import { cutAt } from './split.ts';
import type { Stage } from './stage.ts';

const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

export function byteLevel(json: Json): Stage[] {
  const stages: Stage[] = [];
  if (json.at('add_prefix_space').boolean()) stages.push({ edit: beginWith(' ', false) });
  if (json.at('use_regex').boolean(true)) stages.push(cutAt(WORDS, 'Isolated'));
  return [...stages, { edit: toByteCharacters }];
}
