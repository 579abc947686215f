import type { ByteSource } from './byte-source.ts';

/** A ByteSource whose platform tells files of the same name and size apart. */
export interface VersionedSource extends ByteSource {
  /** Another text once the file's content may be another: its time of modification, an ETag. Compared, never parsed. */
  readonly version: string;
}

function isVersioned(source: ByteSource): source is VersionedSource {
  return 'version' in source && typeof source.version === 'string';
}

/** Equal for the same file at two moments unless it changed between them: the size in bytes, and the version where there is one. */
export function sourceVersion(source: ByteSource): string {
  return isVersioned(source) ? `${source.size} ${source.version}` : String(source.size);
}
