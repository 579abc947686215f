import { StudioError } from '../base/errors.ts';
import { sourceVersion } from '../bytes/source-version.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { sha256Of } from './sha256.ts';

/** Holds source files against what they were when the export was laid out. */
export class SourceCheck {
  readonly #checkpoint: Checkpoint;
  readonly #versions: ReadonlyMap<string, string>;

  /** `versions`: see sourceVersion, by file. */
  constructor(checkpoint: Checkpoint, versions: ReadonlyMap<string, string>) {
    this.#checkpoint = checkpoint;
    this.#versions = versions;
  }

  /** @throws StudioError family `source` code `changed` when a file's size or version is not what it was. */
  async unchanged(files: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (const file of files) {
      const source = await this.#checkpoint.folder.open(file, signal);
      const [expected, found] = [this.#versions.get(file) ?? '', sourceVersion(source)];
      if (found === expected) continue;
      const size = Number.parseInt(expected, 10);
      const how = size === source.size ? 'it was written to' : `it had ${size} bytes and now has ${source.size}`;
      throw new StudioError('source', 'changed', `The source file "${file}" changed during the export: ${how}.`, {
        nextStep:
          'Wait until nothing writes to it any more; then open the model again and export into an empty folder.',
        details: { file },
      });
    }
  }

  /** sha256 over the names and versions of files, for the journal. */
  hashOf(files: readonly string[]): Promise<string> {
    return sha256Of(files.map((file) => `${JSON.stringify([file, this.#versions.get(file)])}\n`).join(''));
  }
}
