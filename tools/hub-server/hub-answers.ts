import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuse, sendInfo, sendTree } from './hub-api.ts';
import { type HubFault, takeFault } from './hub-fault.ts';
import { Repository, type RepositoryOptions, type ServedFile } from './hub-repository.ts';
import { sendFile } from './send-file.ts';

/** What the log learns of a request while it is answered. */
export interface RequestNotes {
  file?: string;
  count(bytes: number): void;
}

interface Found {
  readonly repository: Repository;
  readonly commit: string;
}

interface SignedAddress {
  readonly file: ServedFile;
  readonly expires: number;
}

const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';
const API_PATH = /^\/api\/(models|datasets)\/([^/]+\/[^/]+)\/(revision|tree|resolve-cache)\/([^/]+)(?:\/(.+))?$/;
const RESOLVE_PATH = /^(?:\/(datasets))?\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/;
const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, HEAD',
  'Access-Control-Allow-Headers': 'authorization, range',
};
const PAGE = '<!doctype html><title>Sign in</title>';

/** The answers of a hub and of the host of its signed addresses, without the servers that they go out by. */
export class HubAnswers {
  readonly faults: HubFault[] = [];
  linkLifetimeMs: number;
  readonly #repositories = new Map<string, Repository>();
  readonly #signed = new Map<string, SignedAddress>();
  readonly #pageSize: number;

  constructor(repos: readonly RepositoryOptions[], linkLifetimeMs: number, pageSize: number) {
    this.linkLifetimeMs = linkLifetimeMs;
    this.#pageSize = pageSize;
    for (const options of repos) {
      const key = `${options.kind} ${options.id}`;
      const known = this.#repositories.get(key);
      if (known === undefined) this.#repositories.set(key, new Repository(options));
      else known.addCommit(options);
    }
  }

  /** The repository of that id, a model before a data set. */
  named(id: string): Repository {
    const found = this.#repositories.get(`model ${id}`) ?? this.#repositories.get(`dataset ${id}`);
    if (found === undefined) throw new Error(`The server has no repository "${id}".`);
    return found;
  }

  expireLinks(): void {
    this.#signed.clear();
  }

  /** What the hub itself answers: facts, listings, file addresses, small files. */
  async answerHub(
    request: IncomingMessage,
    response: ServerResponse,
    notes: RequestNotes,
    origins: { readonly hub: string; readonly content: string },
  ): Promise<void> {
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    response.setHeader('Vary', 'Origin');
    if (request.method === 'OPTIONS') {
      response.writeHead(204, PREFLIGHT).end();
      return;
    }
    const address = new URL(request.url ?? '/', origins.hub);
    const api = API_PATH.exec(address.pathname);
    const file = RESOLVE_PATH.exec(address.pathname);
    const [, kind, id = '', ...rest] = (api ?? file ?? []).map((part) => part && decodeURIComponent(part));
    if (api !== null) {
      const [verb, revision = '', path = ''] = rest;
      const found = this.#admit(request, response, kind, id, revision, verb === 'resolve-cache');
      if (found === undefined) return;
      if (verb === 'resolve-cache') return this.#sendSmall(request, response, notes, found, path);
      if (this.#meetFault(response, 'api').answered) return;
      if (verb === 'revision') return sendInfo(response, found.repository, found.commit);
      return sendTree(response, found.repository, found.commit, path, address, this.#pageSize);
    }
    if (file !== null) {
      const [revision = '', path = ''] = rest;
      const found = this.#admit(request, response, kind, id, revision, true);
      if (found !== undefined) await this.#redirect(response, notes, found, path, origins.content);
      return;
    }
    refuse(response, 404, 'NotFound', 'There is no such page.');
  }

  /** What the host of the signed addresses answers. As content networks do, it lets no preflight through. */
  async answerContent(
    request: IncomingMessage,
    response: ServerResponse,
    notes: RequestNotes,
    origins: { readonly content: string },
  ): Promise<void> {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'ETag,Accept-Ranges,Content-Range');
    const link = this.#signed.get(new URL(request.url ?? '/', origins.content).searchParams.get('X-Signature') ?? '');
    if (request.method === 'OPTIONS' || link === undefined || link.expires < Date.now()) {
      response.writeHead(403, { 'Content-Type': 'application/xml' });
      response.end('<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>');
      return;
    }
    notes.file = link.file.path;
    // Not the sha256: content networks make an ETag of their own.
    const etag = createHash('md5').update(await link.file.sha256());
    await this.#send(request, response, notes, link.file, `"${etag.digest('hex')}-1"`);
  }

  /** The repository and commit asked for; where the asker may not have them, the answer is given and nothing returned. */
  #admit(
    request: IncomingMessage,
    response: ServerResponse,
    kind: string | undefined,
    id: string,
    revision: string,
    isForFile: boolean,
  ): Found | undefined {
    const repository = this.#repositories.get(`${kind === 'datasets' ? 'dataset' : 'model'} ${id}`);
    const { authorization } = request.headers;
    const mayRead = repository?.token === undefined || authorization === `Bearer ${repository.token}`;
    // A gated repository is listed for everyone: only its files are held back.
    if (repository?.gated === true && !mayRead && isForFile) {
      refuse(response, authorization === undefined ? 401 : 403, 'GatedRepo', `Access to ${id} is restricted.`);
      return undefined;
    }
    if (repository === undefined || (!mayRead && !repository.gated)) {
      // The hub hides from strangers whether a repository is private or not there.
      if (authorization === undefined) refuse(response, 401, 'RepoNotFound', 'Invalid username or password.');
      else refuse(response, 404, 'RepoNotFound', 'Repository not found');
      return undefined;
    }
    const commit = repository.commitOf(revision);
    if (commit === undefined) {
      refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
      return undefined;
    }
    response.setHeader('X-Repo-Commit', commit);
    return { repository, commit };
  }

  /** Where a file's bytes are: on the hub itself when it is small, otherwise on the content host for a while. */
  async #redirect(
    response: ServerResponse,
    notes: RequestNotes,
    { repository, commit }: Found,
    path: string,
    contentOrigin: string,
  ): Promise<void> {
    const file = repository.filesOf(commit).get(path);
    if (file === undefined) return refuse(response, 404, 'EntryNotFound', `Entry not found: ${path}`);
    notes.file = path;
    if (this.#meetFault(response, 'resolve', path).answered) return;
    if (!file.isLarge) {
      const type = repository.kind === 'model' ? 'models' : 'datasets';
      const where = path.split('/').map(encodeURIComponent).join('/');
      const Location = `/api/${type}/${repository.id}/resolve-cache/${commit}/${where}`;
      response.writeHead(307, { Location, ETag: `"${await file.gitId()}"` }).end();
      return;
    }
    const signature = randomBytes(12).toString('hex');
    const sha256 = await file.sha256();
    this.#signed.set(signature, { file, expires: Date.now() + this.linkLifetimeMs });
    response.writeHead(302, {
      Location: `${contentOrigin}/signed/${repository.id}/${sha256}?X-Expires=${this.linkLifetimeMs}&X-Signature=${signature}`,
      'X-Linked-Size': file.size,
      'X-Linked-ETag': `"${sha256}"`,
      'X-Xet-Hash': sha256,
    });
    response.end();
  }

  async #sendSmall(
    request: IncomingMessage,
    response: ServerResponse,
    notes: RequestNotes,
    { repository, commit }: Found,
    path: string,
  ): Promise<void> {
    const file = repository.filesOf(commit).get(path);
    if (file === undefined) return refuse(response, 404, 'EntryNotFound', `Entry not found: ${path}`);
    notes.file = path;
    await this.#send(request, response, notes, file, `"${await file.gitId()}"`);
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    notes: RequestNotes,
    file: ServedFile,
    etag: string,
  ): Promise<void> {
    const { answered, fault } = this.#meetFault(response, 'content', file.path);
    if (!answered) await sendFile(request, response, file, etag, fault, (bytes) => notes.count(bytes));
  }

  /** Gives the answer where a fault leaves no other; otherwise the fault, if there is one, for whoever sends the body. */
  #meetFault(
    response: ServerResponse,
    place: HubFault['on'],
    file?: string,
  ): { readonly answered: boolean; readonly fault?: HubFault } {
    const fault = takeFault(this.faults, place, file);
    if (fault === undefined) return { answered: false };
    if (fault.kind === 'status') {
      const pause = fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(fault.retryAfterSeconds) };
      response.writeHead(fault.status, { 'Content-Type': 'text/plain; charset=utf-8', ...pause }).end('Not now.');
      return { answered: true };
    }
    if (place === 'content') return { answered: false, fault };
    if (fault.kind === 'cut') response.destroy();
    else if (fault.kind === 'html') response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
    else if (fault.kind !== 'stall') return { answered: false, fault };
    return { answered: true };
  }
}
