import { datasetInfo, type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub';
import { isStudioError } from '../base/errors.ts';
import type { HttpAccess } from '../bytes/http-access.ts';
import { authorization, normaliseEndpoint } from './hub-endpoint.ts';
import { type Asked, notAHubError } from './hub-errors.ts';
import { hubFetch } from './hub-fetch.ts';
import { isSafePath } from './hub-file-name.ts';
import { isRepoId, isRevision, parseHubName } from './hub-name.ts';
import type { HubFile, HubQuery, HubRepo, OpenedHub } from './hub-repo.ts';

/** More than the largest repositories hold; a listing without an end is left there. */
const MAX_FILES = 200_000;
const MAX_PAGES = 1000;

/** The commit that the revision points at now. */
async function commitOf(asked: Asked, fetch: typeof globalThis.fetch): Promise<string> {
  const { kind, repo, revision, endpoint } = asked;
  const query = { name: repo, hubUrl: endpoint, fetch, ...(revision === undefined ? {} : { revision }) };
  const { sha } =
    kind === 'model'
      ? await modelInfo({ ...query, additionalFields: ['sha'] })
      : await datasetInfo({ ...query, additionalFields: ['sha'] });
  // What a server sends is not what its type says.
  const commit: unknown = sha;
  if (typeof commit === 'string' && /^[0-9a-f]{40}$/.test(commit)) return commit;
  throw notAHubError(asked, `does not say which commit of "${repo}" it serves`);
}

/** A file as the listing tells of it, or undefined where it is left out: its path is unsafe, or lies in a model's sub-folder. */
function fileOf(entry: ListFileEntry, asked: Asked): HubFile | undefined {
  const { path, size, lfs }: { path: unknown; size: unknown; lfs?: { oid: unknown; size: unknown } } = entry;
  const bytes = lfs?.size ?? size;
  if (typeof path !== 'string' || typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw notAHubError(asked, `lists the files of "${asked.repo}" without their names or sizes`);
  }
  if (!isSafePath(path) || (asked.kind === 'model' && path.includes('/'))) return undefined;
  const sha256 = typeof lfs?.oid === 'string' && /^[0-9a-f]{64}$/.test(lfs.oid) ? lfs.oid : undefined;
  return { name: path, size: bytes, ...(sha256 === undefined ? {} : { sha256 }) };
}

async function listAll(asked: Asked, commit: string, fetch: typeof globalThis.fetch): Promise<HubFile[]> {
  const files = new Map<string, HubFile>();
  const { kind, repo, endpoint } = asked;
  let pages = 0;
  const fetchPage: typeof fetch = (input, init) => {
    pages += 1;
    if (pages > MAX_PAGES) throw notAHubError(asked, `lists the files of "${repo}" without an end`);
    return fetch(input, init);
  };
  const listing = listFiles({
    repo: { type: kind, name: repo },
    revision: commit,
    // The files of a model lie side by side; what its sub-folders hold is other formats of the same weights.
    recursive: kind === 'dataset',
    hubUrl: endpoint,
    fetch: fetchPage,
  });
  let count = 0;
  for await (const entry of listing) {
    count += 1;
    if (count > MAX_FILES) throw notAHubError(asked, `lists more than ${MAX_FILES} files for "${repo}"`);
    const file = entry.type === 'file' ? fileOf(entry, asked) : undefined;
    if (file === undefined) continue;
    if (files.has(file.name)) throw notAHubError(asked, `lists the file "${file.name}" twice`);
    files.set(file.name, file);
  }
  return [...files.values()];
}

function checkQuery(query: HubQuery): void {
  // Throws the sentence that fits what was written.
  if (!isRepoId(query.repo)) parseHubName(query.repo);
  if (query.revision !== undefined && !isRevision(query.revision)) parseHubName(`${query.repo}@${query.revision}`);
  if (query.token !== undefined) authorization(query.token);
}

/**
 * Looks a repository up on its hub: which commit its revision is now, and which files that commit holds. Everything read
 * afterwards is of that commit, whatever is pushed meanwhile. No file is read.
 *
 * A model's files are those at its top level, a data set's those of all folders. Files whose names could lead out of a
 * folder, or mean another file on another system, are left out.
 *
 * @throws StudioError family `usage`: `bad-endpoint`, `bad-token`, and as parseHubName; family `source`: `unauthorised`,
 * `not-found`, `revision-not-found`, `rate-limited`, `bad-status`, `unreachable`, `stalled`, `not-a-hub`. The signal's reason.
 */
export async function resolveHub(query: HubQuery, access: HttpAccess, signal?: AbortSignal): Promise<OpenedHub> {
  const { kind = 'model', repo, revision, token } = query;
  checkQuery(query);
  const endpoint = normaliseEndpoint(query.endpoint);
  const asked: Asked = {
    kind,
    repo,
    endpoint,
    hasToken: token !== undefined,
    ...(revision === undefined ? {} : { revision }),
  };
  const fetch = hubFetch(access, asked, token, signal);
  try {
    const commit = await commitOf(asked, fetch);
    const hub: HubRepo = { kind, repo, commit, endpoint, ...(token === undefined ? {} : { token }) };
    return { hub, files: await listAll(asked, commit, fetch) };
  } catch (error) {
    signal?.throwIfAborted();
    if (isStudioError(error)) throw error;
    throw notAHubError(asked, 'answers in a way that no hub does', error);
  }
}
