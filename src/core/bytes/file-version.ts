import { contentLength, contentRange } from './http-answer.ts';
import { changedError } from './refusals.ts';

/** What one host says of a file's version. */
interface HostMark {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : '';
}

/** What an answer says of the version, as a label. */
export function labelOf(response: Response): string {
  return tagOf(response) ?? response.headers.get('last-modified') ?? '';
}

/** The tag without the mark that a server puts on it when it packs the body. */
function tagOf(response: Response): string | null {
  return response.headers.get('etag')?.replace(/^W\//, '') ?? null;
}

/**
 * The one version of a file that is read. Hosts make tags of their own, so each is held to what it said first; the size
 * is the same everywhere.
 */
export class FileVersion {
  /** Another text for another version (see sourceVersion). */
  readonly label: string;
  readonly #name: string;
  readonly #size: number;
  readonly #sha256: string | undefined;
  readonly #marks = new Map<string, HostMark>();

  /**
   * @param known.sha256 Hex digest of the whole file, where it is published: a tag of that form must be it.
   * @param known.label Another text for another version.
   */
  constructor(name: string, size: number, known: { readonly sha256?: string | undefined; readonly label: string }) {
    this.#name = name;
    this.#size = size;
    this.#sha256 = known.sha256;
    this.label = known.label;
  }

  /** Looks at an answer of status 200, 206 or 416. @throws StudioError `changed` when it is about another version. */
  check(response: Response): void {
    const newSize = response.status === 200 ? contentLength(response) : contentRange(response)?.size;
    if (newSize !== undefined && newSize !== this.#size) {
      throw changedError(this.#name, `it had ${this.#size} bytes and now has ${newSize}`);
    }
    const etag = tagOf(response);
    const lastModified = response.headers.get('last-modified');
    const digest = /^"([0-9a-f]{64})"$/.exec(etag ?? '')?.[1];
    if (digest !== undefined && this.#sha256 !== undefined && digest !== this.#sha256) {
      throw changedError(this.#name, 'its hash is no longer the one that was published with it');
    }
    const origin = originOf(response.url);
    const mark = this.#marks.get(origin);
    if (mark === undefined) {
      this.#marks.set(origin, { etag, lastModified });
      return;
    }
    const isOther =
      mark.etag !== null && etag !== null
        ? mark.etag !== etag
        : mark.lastModified !== null && lastModified !== null && mark.lastModified !== lastModified;
    if (isOther) throw changedError(this.#name, 'the server has another version of it now');
  }
}
