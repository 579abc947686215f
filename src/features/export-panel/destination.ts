import type { DestinationKind } from '../../stores/export-settings.ts';
import { formatBytes } from '../../ui/number-format.ts';

/** A zip is kept in the browser's own storage while it is packed: beyond this it would not fit for certain. */
export const LARGEST_ZIP = 2e9;

/** Where a model of so many bytes can go, the usual choice first. Empty where it can go nowhere. */
export function destinationsFor(bytes: number, hasDirectoryPicker: boolean): readonly DestinationKind[] {
  const zip: readonly DestinationKind[] = bytes < LARGEST_ZIP ? ['zip'] : [];
  return hasDirectoryPicker ? [...zip, 'directory'] : zip;
}

/** The room that an export takes: no browser tells how much a disk has. */
export function roomAdvice(kind: DestinationKind, bytes: number): string {
  return kind === 'directory'
    ? `Needs ${formatBytes(bytes)} free on that disk, and an empty folder.`
    : `Takes ${formatBytes(2 * bytes)} of the browser's own storage until it is packed.`;
}
