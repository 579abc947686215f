/** A zip is kept in the browser's own storage while it is packed: beyond this it would not fit for certain. */
export const LARGEST_ZIP = 2e9;

export type DestinationKind = 'zip' | 'directory';

/** Where a model of so many bytes can go, the usual choice first. Empty where it can go nowhere. */
export function destinationsFor(bytes: number, hasDirectoryPicker: boolean): readonly DestinationKind[] {
  const zip: readonly DestinationKind[] = bytes < LARGEST_ZIP ? ['zip'] : [];
  return hasDirectoryPicker ? [...zip, 'directory'] : zip;
}
