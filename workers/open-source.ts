import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import { FilesFolder } from '../src/core/bytes/files-folder.ts';
import { HttpFolder } from '../src/core/bytes/http-folder.ts';
import type { SourceSpec } from '../src/core/protocol/source-spec.ts';

/** The folder that a message names. @throws StudioError family `source` code `duplicate-file`. */
export function openSource(spec: SourceSpec): SourceFolder {
  switch (spec.kind) {
    case 'files':
      return new FilesFolder(spec.label, spec.files);
    case 'http':
      return new HttpFolder(spec.label, spec.baseUrl, spec.names, { fetch: (input, init) => fetch(input, init) });
  }
}
