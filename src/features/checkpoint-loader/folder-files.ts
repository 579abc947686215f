import { StudioError } from '../../core/base/errors.ts';
import type { SourceSpec } from '../../core/protocol/source-spec.ts';
import { directorySource } from '../../stores/remembered-actions.ts';

/** Files that were picked or dropped together, and a name for them. */
export interface FileGroup {
  readonly label: string;
  readonly files: readonly File[];
  /** Of the folder that holds them, where the browser gives one: it opens the files anew, and again at a later visit. */
  readonly handle?: FileSystemDirectoryHandle;
}

/** The files directly in a folder: checkpoints are flat. */
export async function filesOfDirectory(directory: FileSystemDirectoryHandle): Promise<FileGroup> {
  const files: File[] = [];
  for await (const entry of directory.values()) {
    if (entry.kind === 'file' && !entry.name.startsWith('.')) files.push(await entry.getFile());
  }
  return { label: directory.name, files, handle: directory };
}

/** The files of an `<input webkitdirectory>`, without those in folders further down. */
export function filesOfInput(list: Iterable<File>): FileGroup {
  const all = [...list];
  const files = all.filter((file) => file.webkitRelativePath.split('/').length <= 2 && !file.name.startsWith('.'));
  return { label: all[0]?.webkitRelativePath.split('/')[0] ?? 'folder', files };
}

/**
 * What a drop holds: the first folder's files, else the loose files. Must be called before the drop event's handler
 * gives way: the browser empties the list then.
 */
export function filesOfDrop(transfer: DataTransfer): Promise<FileGroup> {
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  const loose = [...transfer.files];
  const entries = items.map((item) =>
    'getAsFileSystemHandle' in item ? item.getAsFileSystemHandle() : Promise.resolve(null),
  );
  const folders = items.map((item) => item.webkitGetAsEntry());
  return readDrop(loose, entries, folders);
}

async function readDrop(
  loose: readonly File[],
  handles: readonly Promise<FileSystemHandle | null>[],
  entries: readonly (FileSystemEntry | null)[],
): Promise<FileGroup> {
  for (const handle of await Promise.all(handles)) {
    if (handle instanceof FileSystemDirectoryHandle) return filesOfDirectory(handle);
  }
  for (const entry of entries) {
    if (entry !== null && isDirectory(entry)) return filesOfEntry(entry);
  }
  return looseFiles(loose);
}

/** Files that were picked or dropped without their folder. */
export function looseFiles(files: readonly File[]): FileGroup {
  return { label: files.length === 1 ? (files[0]?.name ?? 'file') : `${files.length} files`, files };
}

// Chromium has no classes of these names to ask `instanceof` of.
function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

/** The older interface, for browsers without handles; it answers at most 100 entries a call. */
async function filesOfEntry(directory: FileSystemDirectoryEntry): Promise<FileGroup> {
  const reader = directory.createReader();
  const files: File[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return { label: directory.name, files };
    for (const entry of batch) {
      if (!isFile(entry) || entry.name.startsWith('.')) continue;
      files.push(await new Promise<File>((resolve, reject) => entry.file(resolve, reject)));
    }
  }
}

/** @throws StudioError source/empty-folder, source/no-config */
export function checkpointSource({ label, files, handle }: FileGroup): SourceSpec {
  if (files.length === 0) {
    throw new StudioError('source', 'empty-folder', `The folder "${label}" holds no files.`, {
      nextStep: 'Choose the folder that holds config.json and the .safetensors files themselves.',
      details: { folder: label },
    });
  }
  if (handle !== undefined) return directorySource(handle, files);
  if (!files.some(({ name }) => name === 'config.json')) throw noConfigError(files);
  return { kind: 'files', label, files };
}

/** Loose files: which of a checkpoint's are missing is said here, where no folder could be meant. */
function noConfigError(files: readonly File[]): StudioError {
  const first = files[0]?.name ?? '';
  const what =
    files.length === 1 ? `"${first}" is one file of a checkpoint` : `These ${files.length} files are not all`;
  return new StudioError(
    'source',
    'no-config',
    `${what}: config.json, which says how the model is built, is not there.`,
    {
      nextStep:
        'Drop the whole folder, or choose config.json, every .safetensors file, model.safetensors.index.json if there is one, and tokenizer.json together.',
      details: { files: files.length, first },
    },
  );
}
