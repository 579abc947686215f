import { createServer, type IncomingMessage, type Server } from 'node:http';
import { HubAnswers, type RequestNotes } from './hub-answers.ts';
import type { HubFault } from './hub-fault.ts';
import type { FileContent, RepositoryFiles, RepositoryOptions } from './hub-repository.ts';

export type { HubFault, RepositoryOptions };

export interface HubServerOptions {
  readonly repos: readonly RepositoryOptions[];
  /** Left out or 0: any free port. The host of the signed addresses takes another free one. */
  readonly port?: number;
  /** How long a signed address works, in milliseconds. Left out: one hour. */
  readonly linkLifetimeMs?: number;
  /** Entries on one page of a listing. Left out: 1000. */
  readonly pageSize?: number;
}

/** One request as it came, and what was sent for it. */
export interface HubRequest {
  readonly method: string;
  /** Path and query. A signed address begins with `/signed/`. */
  readonly path: string;
  /** Path of the file in its repository, where the request was for a file. */
  readonly file: string | undefined;
  /** The Range header. */
  readonly range?: string;
  /** True for the host of the signed addresses. */
  readonly onContentHost: boolean;
  /** True when an Authorization header came with it. */
  readonly authorised: boolean;
  /** All headers, lower case. */
  readonly headers: IncomingMessage['headers'];
  /** 0 before the answer has begun. */
  readonly status: number;
  /** Bytes of file content written so far. */
  readonly bytes: number;
}

export interface HubServer {
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  /** Origin of the signed addresses. */
  readonly contentOrigin: string;
  /** Every request since the start, oldest first; may be emptied. */
  readonly requests: HubRequest[];
  /** Faults in force: push to it, or empty it. */
  readonly faults: HubFault[];
  /** Bytes of file content written since the start, for whole answers and broken ones. */
  bytesSent(): number;
  /** Makes all signed addresses given out so far answer 403. */
  expireLinks(): void;
  /** Adds a commit to a repository and moves the revisions named (`main` when none is). Gives the commit. */
  addCommit(id: string, files: RepositoryFiles, revisions?: Readonly<Record<string, string>>): string;
  /** Forgets a commit, as after a forced push. */
  removeCommit(id: string, commit: string): void;
  /** Puts other bytes in place of a file without a new commit. */
  replaceFile(id: string, commit: string, path: string, content: FileContent): void;
  close(): Promise<void>;
}

async function listen(server: Server, port: number): Promise<string> {
  // An idle connection that is closed while it is taken up again looks like a fault that nobody asked for.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return `http://127.0.0.1:${address.port}`;
}

/**
 * A hub of models and datasets on loopback, over real HTTP: the API's facts and listings, file addresses that redirect
 * to another host, ranges, tokens, CORS, and on request everything that goes wrong out there.
 */
export async function startHubServer(options: HubServerOptions): Promise<HubServer> {
  const answers = new HubAnswers(options.repos, options.linkLifetimeMs ?? 3_600_000, options.pageSize ?? 1000);
  const requests: HubRequest[] = [];
  let sent = 0;
  const origins = { hub: '', content: '' };

  const serve = (onContentHost: boolean): Server =>
    createServer((request, response) => {
      const { range } = request.headers;
      let bytes = 0;
      const notes: RequestNotes = {
        count: (written) => {
          bytes += written;
          sent += written;
        },
      };
      requests.push({
        method: request.method ?? '',
        path: request.url ?? '',
        ...(range === undefined ? {} : { range }),
        onContentHost,
        authorised: request.headers.authorization !== undefined,
        headers: request.headers,
        get file() {
          return notes.file;
        },
        get status() {
          return response.headersSent ? response.statusCode : 0;
        },
        get bytes() {
          return bytes;
        },
      });
      const answer = onContentHost
        ? answers.answerContent(request, response, notes, origins)
        : answers.answerHub(request, response, notes, origins);
      // The asker is shown a broken connection: what failed here is the server's own affair.
      answer.catch(() => response.destroy());
    });

  const servers = [serve(false), serve(true)] as const;
  origins.hub = await listen(servers[0], options.port ?? 0);
  origins.content = await listen(servers[1], 0);
  return {
    endpoint: origins.hub,
    contentOrigin: origins.content,
    requests,
    faults: answers.faults,
    bytesSent: () => sent,
    expireLinks: () => answers.expireLinks(),
    addCommit: (id, files, revisions) =>
      answers.named(id).addCommit({ files, ...(revisions === undefined ? {} : { revisions }) }),
    removeCommit: (id, commit) => answers.named(id).removeCommit(commit),
    replaceFile: (id, commit, path, content) => answers.named(id).replaceFile(commit, path, content),
    close: async () => {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
