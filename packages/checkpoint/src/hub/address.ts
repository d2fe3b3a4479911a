// Names of models on a hub: `org/name`, a revision after `@`, and perhaps one of its files: `org/name@main/model-q8_0.gguf`.
import { CheckpointError, quoted } from '../errors.ts';

export interface HubAddress {
  /** `org/name` */
  readonly repo: string;
  /** A branch, tag or commit. */
  readonly revision?: string;
  /** A path inside the repository. */
  readonly file?: string;
}

const name = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?';
const pattern = new RegExp(`^(${name}/${name})(?:@([A-Za-z0-9][A-Za-z0-9._-]*))?(?:/(.+))?$`);

/** Undefined for text that is no such name. */
export function parseHubAddress(text: string): HubAddress | undefined {
  const [, repo, revision, file] = pattern.exec(text) ?? [];
  if (repo === undefined || repo.includes('--') || repo.includes('..')) return undefined;
  return { repo, ...(revision !== undefined && { revision }), ...(file !== undefined && { file }) };
}

/** Throws a CheckpointError unless it is `org/name`. */
export function checkRepo(repo: string): void {
  const address = parseHubAddress(repo);
  if (!address || address.repo !== repo)
    throw new CheckpointError(
      `hub: ${quoted(repo)} is no name of a model; expected org/name, of letters, digits, ".", "_" and "-"`,
    );
}
