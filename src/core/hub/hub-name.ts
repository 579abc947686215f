import { StudioError } from '../base/errors.ts';
import type { HubRepoKind } from './hub-repo.ts';

/** The hub that names without a hub of their own mean. */
export const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** What a person named: which repository, and which state of it. */
export interface HubName {
  readonly kind: HubRepoKind;
  /** `org/name`. */
  readonly repo: string;
  /** Branch, tag or commit; left out where none was named. */
  readonly revision?: string;
}

const MAX_LENGTH = 96;
const PART = /^[A-Za-z0-9_](?:[\w.-]*[\w])?$/;
const REVISION = /^[\w](?:[\w.+/-]*[\w+-])?$/;
const HUB_HOSTS = new Set(['huggingface.co', 'www.huggingface.co', 'hf.co']);
/** What follows the name in the address of a page of the hub, before the revision. */
const PAGES_OF_REVISION = new Set(['tree', 'blob', 'resolve', 'raw', 'commit']);

function refuse(code: string, message: string, nextStep: string, text: string): StudioError {
  return new StudioError('usage', code, message, { nextStep, details: { name: text } });
}

const EXAMPLE = 'Write it as org/name, for example Qwen/Qwen3-30B-A3B, or org/name@revision.';

/** True for `org/name` as the hub allows it. */
export function isRepoId(text: string): boolean {
  const parts = text.split('/');
  return (
    text.length <= MAX_LENGTH && parts.length === 2 && parts.every((part) => PART.test(part) && !/--|\.\./.test(part))
  );
}

/** True for the name of a branch or tag, a commit, or `refs/…`. */
export function isRevision(text: string): boolean {
  return text.length <= 255 && REVISION.test(text) && !/\.\.|\/\//.test(text);
}

/** A path as it reads; as it stands where its percent signs mean nothing. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The path of a pasted address, or undefined where the text is no address. */
function pathOfAddress(text: string): string | undefined {
  const address = /^(?:https?:\/\/|(?:www\.)?huggingface\.co\/|hf\.co\/)/i.test(text)
    ? text.replace(/^(?!https?:)/i, 'https://')
    : undefined;
  if (address === undefined) return undefined;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !HUB_HOSTS.has(url.hostname)) {
    throw refuse(
      'other-hub',
      `"${url?.host ?? text}" is not the hub that names are looked up on.`,
      'Give the name alone, as org/name, and set the address of the other hub as the endpoint (HF_ENDPOINT on the command line).',
      url?.host ?? text,
    );
  }
  return decoded(url.pathname).replace(/^\/+|\/+$/g, '');
}

/**
 * Reads what a person typed or pasted: `org/name`, `org/name@revision`, either with `hf:` before it, a data set as
 * `datasets/org/name`, or the address of any page of the repository on huggingface.co.
 * @throws StudioError family `usage`: `other-hub`, `not-a-repo`, `bad-repo-name`, `bad-revision`.
 */
export function parseHubName(text: string): HubName {
  const typed = text.trim().replace(/^hf:(?:\/\/)?/i, '');
  const path = pathOfAddress(typed);
  let rest = path ?? typed;
  let revision: string | undefined;
  const at = rest.indexOf('@');
  if (path === undefined && at !== -1) {
    revision = rest.slice(at + 1);
    rest = rest.slice(0, at);
  }
  const parts = rest.split('/');
  let kind: HubRepoKind = 'model';
  if (parts.length > 2 && (parts[0] === 'datasets' || parts[0] === 'models')) {
    kind = parts[0] === 'datasets' ? 'dataset' : 'model';
    parts.shift();
  } else if (parts[0] === 'spaces' && parts.length > 2) {
    throw refuse('not-a-repo', `"${rest}" is a space, not a model or data set.`, EXAMPLE, rest);
  }
  const repo = parts.slice(0, 2).join('/');
  if (path !== undefined && parts.length > 3 && PAGES_OF_REVISION.has(parts[2] ?? '')) {
    // A ref holds slashes of its own, and `refs/convert/parquet` is the one that addresses show.
    revision = parts[3] === 'refs' ? parts.slice(3, 6).join('/') : parts[3];
  } else if (path === undefined && parts.length > 2) {
    throw refuse('bad-repo-name', `"${rest}" has more parts than a repository's name.`, EXAMPLE, rest);
  }
  if (!isRepoId(repo)) {
    const problem = parts.length === 1 ? 'lacks the owner before the name' : 'is not the name of a repository';
    throw refuse('bad-repo-name', rest === '' ? 'No repository was named.' : `"${rest}" ${problem}.`, EXAMPLE, rest);
  }
  if (revision !== undefined && !isRevision(revision)) {
    throw refuse(
      'bad-revision',
      revision === '' ? `No revision follows the @ after "${repo}".` : `"${revision}" is not the name of a revision.`,
      'Give a branch, a tag or a commit after the @, or leave both out for the main branch.',
      repo,
    );
  }
  return { kind, repo, ...(revision === undefined ? {} : { revision }) };
}
