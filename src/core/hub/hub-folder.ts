import type { ByteSource, SourceFolder } from '../bytes/byte-source.ts';
import { FileVersion } from '../bytes/file-version.ts';
import { type HttpAccess, timer } from '../bytes/http-access.ts';
import { type HttpLine, HttpRangeSource, openLine } from '../bytes/http-range-source.ts';
import { missingFileError } from '../bytes/refusals.ts';
import type { TransferMeter } from '../bytes/transfer-meter.ts';
import type { HubFile, HubRepo } from './hub-repo.ts';
import { HubTarget } from './hub-target.ts';

/**
 * The files of a hub repository at one commit. Nothing is asked for before a file is read: names, sizes and hashes are
 * those of the listing, and every answer is held to them. All files share one limit of requests at once.
 */
export class HubFolder implements SourceFolder {
  /** `hf:org/name@commit` (`hf:datasets/org/name@commit`): opens the same files again, wherever it is written down. */
  readonly label: string;
  readonly names: readonly string[];
  readonly published: ReadonlyMap<string, string>;
  readonly #hub: HubRepo;
  readonly #files: ReadonlyMap<string, HubFile>;
  readonly #opened = new Map<string, HttpRangeSource>();
  readonly #line: HttpLine;

  constructor(hub: HubRepo, files: readonly HubFile[], access: HttpAccess) {
    this.label = `hf:${hub.kind === 'dataset' ? 'datasets/' : ''}${hub.repo}@${hub.commit}`;
    this.#hub = hub;
    this.#files = new Map(files.map((file) => [file.name, file]));
    this.names = [...this.#files.keys()];
    this.published = new Map(files.flatMap(({ name, sha256 }) => (sha256 === undefined ? [] : [[name, sha256]])));
    // Reads that are begun in one turn of the event loop are seen together, so that neighbours share a request.
    this.#line = openLine(access, () => timer(0));
  }

  /** What came from the hub and its content network so far. */
  get transfer(): TransferMeter {
    return this.#line.meter;
  }

  /** @throws StudioError family `source` code `missing-file`. Reading throws as HttpRangeSource and HubTarget. */
  async open(name: string, signal?: AbortSignal): Promise<ByteSource> {
    signal?.throwIfAborted();
    const file = this.#files.get(name);
    if (file === undefined) throw missingFileError(this.label, name, this.names);
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const version = new FileVersion(name, file.size, { sha256: file.sha256, label: file.sha256 ?? this.#hub.commit });
    const source = new HttpRangeSource(new HubTarget(this.#hub, file), file.size, version, this.#line);
    this.#opened.set(name, source);
    return source;
  }
}
