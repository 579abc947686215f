import type { ByteSource, SourceFolder } from './byte-source.ts';
import type { HttpAccess } from './http-access.ts';
import { type HttpLine, HttpRangeSource, openLine } from './http-range-source.ts';
import { missingFileError } from './refusals.ts';

/** A SourceFolder over a base address and the names that lie under it. A file that was opened stays pinned to its version. */
export class HttpFolder implements SourceFolder {
  readonly label: string;
  readonly names: readonly string[];
  readonly #baseUrl: string;
  readonly #line: HttpLine;
  readonly #opened = new Map<string, HttpRangeSource>();

  /** @param baseUrl Absolute, or of a form that `access.fetch` takes; a slash at its end is added when missing. */
  constructor(label: string, baseUrl: string, names: readonly string[], access: HttpAccess) {
    this.label = label;
    this.names = names;
    this.#baseUrl = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
    this.#line = openLine(access);
  }

  /** @throws StudioError family `source`: `missing-file`, and what HttpRangeSource.open throws. */
  async open(name: string, signal?: AbortSignal): Promise<ByteSource> {
    signal?.throwIfAborted();
    if (!this.names.includes(name)) throw missingFileError(this.label, name, this.names);
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const source = await HttpRangeSource.open(`${this.#baseUrl}${encodeURIComponent(name)}`, name, this.#line, signal);
    // Of two openings at once the first pins the version for both.
    const first = this.#opened.get(name) ?? source;
    this.#opened.set(name, first);
    return first;
  }
}
