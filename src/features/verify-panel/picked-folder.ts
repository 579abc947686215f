import { StudioError } from '../../core/base/errors.ts';
import type { SourceSpec } from '../../core/protocol/source-spec.ts';

/** Asks for a folder to read; null when the person closed the picker. */
export async function pickFolder(): Promise<SourceSpec | null> {
  try {
    const handle = await window.showDirectoryPicker({ id: 'export', mode: 'read' });
    return { kind: 'directory', label: handle.name, handle };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/**
 * What an `<input webkitdirectory>` gave. Files of folders further down are no part of an export.
 * @throws StudioError family `source` code `empty-folder`.
 */
export function folderOfInput(list: Iterable<File>): SourceSpec {
  const all = [...list];
  const label = all[0]?.webkitRelativePath.split('/')[0] ?? 'folder';
  const files = all.filter((file) => file.webkitRelativePath.split('/').length <= 2);
  if (files.length > 0) return { kind: 'files', label, files };
  throw new StudioError('source', 'empty-folder', `The folder "${label}" holds no files.`, {
    nextStep: 'Choose the folder that holds config.json and reap-studio.manifest.json themselves.',
    details: { folder: label },
  });
}
