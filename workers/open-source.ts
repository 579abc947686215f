import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import { FilesFolder } from '../src/core/bytes/files-folder.ts';
import type { HttpAccess } from '../src/core/bytes/http-access.ts';
import { HttpFolder } from '../src/core/bytes/http-folder.ts';
import { HubFolder } from '../src/core/hub/hub-folder.ts';
import type { SourceSpec } from '../src/core/protocol/source-spec.ts';
import { DirectorySource } from './directory-source.ts';

const ACCESS: HttpAccess = { fetch: (input, init) => fetch(input, init) };

/** The folder that a message names. @throws StudioError family `source`: `duplicate-file`, `no-permission`, `unreadable`. */
export function openSource(spec: SourceSpec): SourceFolder | Promise<SourceFolder> {
  switch (spec.kind) {
    case 'files':
      return new FilesFolder(spec.label, spec.files);
    case 'http':
      return new HttpFolder(spec.label, spec.baseUrl, spec.names, ACCESS);
    case 'directory':
      return DirectorySource.open(spec.label, spec.handle, spec.chosen);
    case 'hub':
      return new HubFolder(spec.hub, spec.files, ACCESS);
  }
}
