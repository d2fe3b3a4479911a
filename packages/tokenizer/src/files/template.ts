// What stands around a text and a pair, for files that don't say it, written down as TemplateProcessing of tokenizer.json.

/** A special token, or $A and $B for the texts; with its type id, unless that is 0. */
export type Place = string | readonly [what: string, typeId: number];

export function around(
  single: readonly Place[],
  pair: readonly Place[],
  idOf: (token: string) => number,
): Record<string, unknown> {
  const tokens = new Set<string>();
  const write = (place: Place): object => {
    const [what, type_id] = typeof place === 'string' ? [place, 0] : place;
    if (what === '$A' || what === '$B') return { Sequence: { id: what[1], type_id } };
    tokens.add(what);
    return { SpecialToken: { id: what, type_id } };
  };
  return {
    type: 'TemplateProcessing',
    single: single.map(write),
    pair: pair.map(write),
    special_tokens: Object.fromEntries([...tokens].map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])),
  };
}

/** [CLS] A [SEP] B [SEP], the second text of type 1. */
export function bertTemplate(cls: string, sep: string, idOf: (token: string) => number): Record<string, unknown> {
  const single = [cls, '$A', sep];
  return around(single, [...single, ['$B', 1], [sep, 1]], idOf);
}

/** <s> A </s> </s> B </s>. */
export function robertaTemplate(cls: string, sep: string, idOf: (token: string) => number): Record<string, unknown> {
  const single = [cls, '$A', sep];
  return around(single, [...single, sep, '$B', sep], idOf);
}
