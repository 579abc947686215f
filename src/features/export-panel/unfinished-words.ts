import type { UnfinishedExport } from '../../stores/export-store.ts';
import { formatBytes } from '../../ui/number-format.ts';

/** How much is there and how much is missing. Bytes of a file that was not finished count as missing. */
export function unfinishedWords({
  folder,
  bytesKept,
  bytesTotal,
}: Pick<UnfinishedExport, 'bytesKept' | 'bytesTotal'> & { readonly folder: { readonly name: string } }): string {
  if (bytesTotal === 0) return `Nothing more was written into "${folder.name}".`;
  const missing = formatBytes(bytesTotal - bytesKept);
  if (bytesKept === 0) return `All ${missing} are still to be written into "${folder.name}".`;
  return `${formatBytes(bytesKept)} of ${formatBytes(bytesTotal)} are finished and kept in "${folder.name}"; ${missing} are missing.`;
}
