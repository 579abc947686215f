import { expect, test } from 'vitest';
import { describeSourceFolder } from '../src/core/bytes/folder-contract.fixture.ts';
import { sourceVersion } from '../src/core/bytes/source-version.ts';
import { DirectorySource } from './directory-source.ts';

/** A file whose content, time and permission can change behind its handle. */
class ChangingFile {
  readonly kind = 'file';
  readonly name: string;
  bytes: Uint8Array<ArrayBuffer>;
  lastModified = 1000;
  refusal: string | undefined;

  constructor(name: string, bytes: Uint8Array<ArrayBuffer>) {
    this.name = name;
    this.bytes = bytes;
  }

  async getFile(): Promise<File> {
    if (this.refusal !== undefined) throw new DOMException('refused', this.refusal);
    return new File([this.bytes], this.name, { lastModified: this.lastModified });
  }
}

/** A folder's handle, as far as a source uses it. */
function directory(entries: readonly object[]): FileSystemDirectoryHandle {
  const handle = {
    async *values() {
      yield* entries;
    },
  };
  return handle as unknown as FileSystemDirectoryHandle;
}

const BYTES = new Uint8Array([1, 2, 3, 4, 5]);

async function openFile(): Promise<{
  readonly file: ChangingFile;
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
}> {
  const file = new ChangingFile('config.json', BYTES);
  const source = await (await DirectorySource.open('folder', directory([file]))).open('config.json');
  return { file, read: (offset, length) => source.read(offset, length) };
}

describeSourceFolder('DirectorySource', (files) =>
  DirectorySource.open('folder', directory([...files].map(([name, bytes]) => new ChangingFile(name, bytes)))),
);

test('leaves sub-folders and hidden files out, and reads nothing to list them', async () => {
  const unreadable = new ChangingFile('model.safetensors', BYTES);
  unreadable.refusal = 'NotAllowedError';
  const entries = [unreadable, new ChangingFile('.DS_Store', BYTES), { kind: 'directory', name: 'onnx' }];
  expect((await DirectorySource.open('folder', directory(entries))).names).toEqual(['model.safetensors']);
});

test('reads a file that is as it was', async () => {
  const { read } = await openFile();
  expect(await read(1, 3)).toEqual(BYTES.slice(1, 4));
});

test.each([
  ['another size', { bytes: new Uint8Array(6) }, 'changed', 'it had 5 bytes and now has 6'],
  ['another time', { lastModified: 2000 }, 'changed', 'it was written to'],
  ['a file that is gone', { refusal: 'NotFoundError' }, 'changed', 'it was moved or deleted'],
  ['a permission that was taken back', { refusal: 'NotAllowedError' }, 'no-permission', 'no longer lets'],
  ['a disk that fails', { refusal: 'NotReadableError' }, 'unreadable', 'cannot be read'],
])('notices %s before it gives a byte', async (_, change, code, words) => {
  const { file, read } = await openFile();
  Object.assign(file, change);
  await expect(read(0, 5)).rejects.toMatchObject({ family: 'source', code, details: { file: 'config.json' } });
  await expect(read(0, 5)).rejects.toThrow(words);
});

test.each([
  ['size', { size: 4, lastModified: 1000 }, 'it had 4 bytes and now has 5'],
  ['time', { size: 5, lastModified: 900 }, 'it was written to'],
])('opens no file that had another %s when it was chosen', async (_, facts, words) => {
  const chosen = [{ name: 'config.json', ...facts }];
  const folder = await DirectorySource.open('folder', directory([new ChangingFile('config.json', BYTES)]), chosen);
  await expect(folder.open('config.json')).rejects.toMatchObject({ family: 'source', code: 'changed' });
  await expect(folder.open('config.json')).rejects.toThrow(words);
});

test('opens a file that is as it was chosen, and one that was not there yet', async () => {
  const entries = [new ChangingFile('config.json', BYTES), new ChangingFile('new.json', BYTES)];
  const chosen = [{ name: 'config.json', size: 5, lastModified: 1000 }];
  const folder = await DirectorySource.open('folder', directory(entries), chosen);
  for (const name of folder.names) expect(await (await folder.open(name)).read(0, 5)).toEqual(BYTES);
});

test('opens a file again that could not be opened before', async () => {
  const file = new ChangingFile('config.json', BYTES);
  const folder = await DirectorySource.open('folder', directory([file]));
  file.refusal = 'NotAllowedError';
  await expect(folder.open('config.json')).rejects.toMatchObject({ code: 'no-permission' });
  file.refusal = undefined;
  const source = await folder.open('config.json');
  expect(sourceVersion(source)).toBe('5 1000');
  expect(await folder.open('config.json')).toBe(source);
});

test('says that a folder cannot be listed', async () => {
  const handle = {
    // biome-ignore lint/correctness/useYield: it fails before there is anything to give.
    async *values() {
      throw new DOMException('refused', 'NotAllowedError');
    },
  } as unknown as FileSystemDirectoryHandle;
  await expect(DirectorySource.open('models', handle)).rejects.toMatchObject({ code: 'no-permission' });
});
