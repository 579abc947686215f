import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';

/** Path of a file on disk, or its bytes. */
export type FileContent = string | Uint8Array;

/** Files of one commit, by path in the repository. */
export type RepositoryFiles = Readonly<Record<string, FileContent>> | ReadonlyMap<string, FileContent>;

/** What a person asks the server to serve. Several with one kind and id are commits of one repository. */
export interface RepositoryOptions {
  readonly kind: 'model' | 'dataset';
  /** `org/name`. */
  readonly id: string;
  /** 40 hex digits. Left out: made from the names and sizes of the files. */
  readonly commit?: string;
  /** Commit by branch or tag. Left out: `main` is this commit. */
  readonly revisions?: Readonly<Record<string, string>>;
  readonly files: RepositoryFiles;
  /** The one token that may read it. Left out: everyone may. */
  readonly token?: string;
  /** Where the token is missing or wrong, say that the repository is there but gated, rather than hide it. */
  readonly gated?: boolean;
}

/** Files of these kinds, and all above the size, lie in large-file storage. */
const LARGE_NAME = /\.(?:safetensors|bin|parquet|pt|gguf)$/;
const LARGE_BYTES = 10 * 2 ** 20;

/** One file of one commit. Its hashes are made when they are first asked for. */
export class ServedFile {
  readonly path: string;
  readonly size: number;
  readonly isLarge: boolean;
  readonly #content: FileContent;
  #sha256: Promise<string> | undefined;
  #gitId: Promise<string> | undefined;

  constructor(path: string, content: FileContent) {
    this.path = path;
    this.size = typeof content === 'string' ? statSync(content).size : content.byteLength;
    this.isLarge = LARGE_NAME.test(path) || this.size > LARGE_BYTES;
    this.#content = content;
  }

  /** Bytes `first` to `last`, both included. */
  async *read(first: number, last: number): AsyncGenerator<Uint8Array> {
    if (last < first) return;
    if (typeof this.#content === 'string') {
      yield* createReadStream(this.#content, { start: first, end: last });
      return;
    }
    const step = 64 * 2 ** 10;
    for (let at = first; at <= last; at += step) yield this.#content.subarray(at, Math.min(at + step, last + 1));
  }

  sha256(): Promise<string> {
    this.#sha256 ??= this.#hash('sha256', '');
    return this.#sha256;
  }

  /** The id that git gives the file, as the hub's tree lists it. */
  gitId(): Promise<string> {
    this.#gitId ??= this.#hash('sha1', `blob ${this.size}\0`);
    return this.#gitId;
  }

  async #hash(algorithm: string, before: string): Promise<string> {
    const hash = createHash(algorithm).update(before);
    for await (const chunk of this.read(0, this.size - 1)) hash.update(chunk);
    return hash.digest('hex');
  }
}

/** A repository with its commits and the names that point at them. */
export class Repository {
  readonly kind: 'model' | 'dataset';
  readonly id: string;
  readonly token: string | undefined;
  readonly gated: boolean;
  readonly #commits = new Map<string, Map<string, ServedFile>>();
  readonly #revisions = new Map<string, string>();

  constructor(options: RepositoryOptions) {
    this.kind = options.kind;
    this.id = options.id;
    this.token = options.token;
    this.gated = options.gated ?? false;
    this.addCommit(options);
  }

  /** Adds a commit, and moves the revisions that are named (`main` when none is) to where they now point. */
  addCommit(options: Pick<RepositoryOptions, 'commit' | 'revisions' | 'files'>): string {
    const given = options.files instanceof Map ? [...options.files] : Object.entries(options.files);
    const files = new Map(given.map(([path, content]) => [path, new ServedFile(path, content)] as const));
    const listing = [...files.values()].map(({ path, size }) => `${path} ${size}`).sort();
    const commit =
      options.commit ??
      createHash('sha1')
        .update(JSON.stringify([this.kind, this.id, listing]))
        .digest('hex');
    this.#commits.set(commit, files);
    for (const [revision, target] of Object.entries(options.revisions ?? { main: commit })) {
      this.#revisions.set(revision, target);
    }
    return commit;
  }

  /** Forgets a commit, as after a forced push. */
  removeCommit(commit: string): void {
    this.#commits.delete(commit);
  }

  /** The commit that a revision means, or undefined where there is none. */
  commitOf(revision: string): string | undefined {
    const name = revision === 'HEAD' ? 'main' : revision;
    const commit = this.#revisions.get(name) ?? name;
    return this.#commits.has(commit) ? commit : undefined;
  }

  filesOf(commit: string): ReadonlyMap<string, ServedFile> {
    return this.#commits.get(commit) ?? new Map();
  }

  /** Puts other bytes in place of a file without a new commit: what a faulty mirror does. */
  replaceFile(commit: string, path: string, content: FileContent): void {
    this.#commits.get(commit)?.set(path, new ServedFile(path, content));
  }
}
