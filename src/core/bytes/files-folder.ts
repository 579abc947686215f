import { StudioError } from '../base/errors.ts';
import { BlobSource } from './blob-source.ts';
import type { ByteSource, SourceFolder } from './byte-source.ts';
import { missingFileError } from './refusals.ts';

/** True for a file of a sub-folder of the folder that the person picked (`folder/sub/file`). */
function liesInSubFolder(file: File): boolean {
  const path: unknown = 'webkitRelativePath' in file ? file.webkitRelativePath : '';
  return typeof path === 'string' && path.split('/').length > 2;
}

/** A SourceFolder over files that the person picked or dropped. Files of sub-folders are left out. */
export class FilesFolder implements SourceFolder {
  readonly label: string;
  readonly names: readonly string[];
  readonly #files = new Map<string, File>();

  /** @throws StudioError family `source` code `duplicate-file` when two files share a name. */
  constructor(label: string, files: Iterable<File>) {
    for (const file of files) {
      if (liesInSubFolder(file)) continue;
      if (this.#files.has(file.name)) {
        throw new StudioError('source', 'duplicate-file', `Two of the files are called "${file.name}".`, {
          nextStep: 'Choose the files of one model only, all from the same folder.',
          details: { folder: label, file: file.name },
        });
      }
      this.#files.set(file.name, file);
    }
    this.label = label;
    this.names = [...this.#files.keys()];
  }

  async open(name: string, signal?: AbortSignal): Promise<ByteSource> {
    signal?.throwIfAborted();
    const file = this.#files.get(name);
    if (file === undefined) throw missingFileError(this.label, name, this.names);
    return new BlobSource(file, name);
  }
}
