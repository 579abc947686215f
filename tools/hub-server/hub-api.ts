import type { ServerResponse } from 'node:http';
import type { Repository, ServedFile } from './hub-repository.ts';

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(value));
}

/** A refusal as the hub words it: the code for programs in a header, the sentence in the body. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, status, { error: message }, { 'X-Error-Code': code, 'X-Error-Message': message });
}

/** The facts of a repository at one commit. */
export function sendInfo(response: ServerResponse, repository: Repository, commit: string): void {
  sendJson(response, 200, {
    _id: commit.slice(0, 24),
    id: repository.id,
    ...(repository.kind === 'model' ? { modelId: repository.id, pipeline_tag: 'text-generation' } : {}),
    private: repository.token !== undefined && !repository.gated,
    gated: repository.gated ? 'manual' : false,
    downloads: 0,
    likes: 0,
    lastModified: '2026-01-01T00:00:00.000Z',
    sha: commit,
  });
}

async function treeEntry(file: ServedFile): Promise<object> {
  const entry = { type: 'file', oid: await file.gitId(), size: file.size, path: file.path };
  if (!file.isLarge) return entry;
  const lfs = { oid: await file.sha256(), size: file.size, pointerSize: 130 };
  return { ...entry, lfs, xetHash: lfs.oid };
}

/** One page of the files and folders under `folder`, with the address of the next page in a Link header. */
export async function sendTree(
  response: ServerResponse,
  repository: Repository,
  commit: string,
  folder: string,
  address: URL,
  pageSize: number,
): Promise<void> {
  const below = folder === '' ? '' : `${folder}/`;
  const files = [...repository.filesOf(commit).values()].filter(({ path }) => path.startsWith(below));
  const recursive = address.searchParams.get('recursive') === 'true';
  const entries = new Map<string, ServedFile | undefined>();
  for (const file of files) {
    const parts = file.path.slice(below.length).split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      if (depth === 1 || recursive) entries.set(below + parts.slice(0, depth).join('/'), undefined);
    }
    if (parts.length === 1 || recursive) entries.set(file.path, file);
  }
  if (below !== '' && entries.size === 0) return refuse(response, 404, 'EntryNotFound', `${folder} does not exist`);
  const paths = [...entries.keys()].sort();
  const start = Number(address.searchParams.get('cursor') ?? 0);
  const page = paths.slice(start, start + pageSize);
  const next = new URL(address);
  next.searchParams.set('cursor', String(start + pageSize));
  const items = await Promise.all(
    page.map(async (path) => {
      const file = entries.get(path);
      return file === undefined ? { type: 'directory', oid: commit, size: 0, path } : treeEntry(file);
    }),
  );
  sendJson(response, 200, items, start + pageSize < paths.length ? { Link: `<${next}>; rel="next"` } : {});
}
