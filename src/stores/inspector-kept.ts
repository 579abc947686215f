import type { SourceSpec } from '../core/protocol/source-spec.ts';

/**
 * Descriptors that a person keeps for models of one type, as text of a descriptor file, which carries its version. Where
 * the browser stores nothing, nothing is kept.
 */
const PREFIX = 'reap-studio.descriptor.';

/** False when the browser refuses to store it. */
export function keepDescriptor(modelType: string, text: string): boolean {
  try {
    localStorage.setItem(PREFIX + modelType, text);
    return true;
  } catch {
    return false;
  }
}

export function keptDescriptor(modelType: string): string | null {
  try {
    return localStorage.getItem(PREFIX + modelType);
  } catch {
    return null;
  }
}

export function dropKeptDescriptor(modelType: string): void {
  try {
    localStorage.removeItem(PREFIX + modelType);
  } catch {
    // Nothing was kept.
  }
}

function isAnyKept(): boolean {
  try {
    return Object.keys(localStorage).some((key) => key.startsWith(PREFIX));
  } catch {
    return false;
  }
}

/** The source with the descriptor that is kept for its type, or null. Reads nothing where none is kept for any type. */
export async function withKeptDescriptor(spec: SourceSpec): Promise<SourceSpec | null> {
  if (spec.descriptor !== undefined || !isAnyKept()) return null;
  const { readModelType } = await import('../client/inspect-client.ts');
  // A config.json that cannot be read is for whoever opens the checkpoint to refuse.
  const modelType = await readModelType(spec).catch(() => '');
  const descriptor = modelType === '' ? null : keptDescriptor(modelType);
  return descriptor === null ? null : { ...spec, descriptor };
}
