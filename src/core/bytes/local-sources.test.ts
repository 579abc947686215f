import { describe, expect, test } from 'vitest';
import { BlobSource } from './blob-source.ts';
import { describeByteSource, sampleBytes } from './byte-source-contract.fixture.ts';
import { FilesFolder } from './files-folder.ts';
import { describeSourceFolder, describeTargetFolder } from './folder-contract.fixture.ts';
import { MemoryFolder } from './memory-folder.ts';
import { MemorySource } from './memory-source.ts';

describeByteSource('MemorySource', async (name, bytes) => new MemorySource(name, bytes));
describeByteSource('BlobSource', async (name, bytes) => new BlobSource(new Blob([bytes]), name));
describeSourceFolder('MemoryFolder', async (files) => new MemoryFolder('memory', files));
describeSourceFolder(
  'FilesFolder',
  async (files) =>
    new FilesFolder(
      'files',
      [...files].map(([name, bytes]) => new File([bytes], name)),
    ),
);
describeTargetFolder('MemoryFolder', async () => new MemoryFolder('memory'));

/** A Blob whose slices are read as it is told. */
class OddBlob extends Blob {
  readonly #read: () => Promise<ArrayBuffer>;

  constructor(read: () => Promise<ArrayBuffer>) {
    super([sampleBytes(1000)]);
    this.#read = read;
  }

  override slice(): Blob {
    const blob = new Blob([]);
    blob.arrayBuffer = this.#read;
    return blob;
  }
}

describe('BlobSource', () => {
  test.each([
    [new DOMException('', 'NotReadableError'), 'changed'],
    [new DOMException('', 'NotFoundError'), 'changed'],
    [new DOMException('the disk is gone', 'UnknownError'), 'unreadable'],
    [new Error('out of memory'), 'unreadable'],
  ])('turns %s into %s', async (cause, code) => {
    const source = new BlobSource(new OddBlob(() => Promise.reject(cause)), 'a');
    await expect(source.read(0, 10)).rejects.toMatchObject({ family: 'source', code, cause, details: { file: 'a' } });
  });

  test('refuses a part that is shorter than it should be', async () => {
    const source = new BlobSource(new OddBlob(async () => new ArrayBuffer(9)), 'a');
    await expect(source.read(5, 10)).rejects.toMatchObject({
      code: 'short-read',
      details: { file: 'a', offset: 5, expected: 10, found: 9 },
    });
  });

  test('gives nothing when it is told to stop while it reads', async () => {
    const controller = new AbortController();
    const blob = new OddBlob(async () => {
      controller.abort();
      return new ArrayBuffer(10);
    });
    await expect(new BlobSource(blob, 'a').read(0, 10, controller.signal)).rejects.toBe(controller.signal.reason);
  });
});

describe('FilesFolder', () => {
  const picked = (path: string): File =>
    Object.defineProperty(new File([path], path.split('/').at(-1) ?? ''), 'webkitRelativePath', { value: path });

  test('refuses two files of one name', () => {
    const files = [new File(['1'], 'config.json'), new File(['2'], 'config.json')];
    expect(() => new FilesFolder('model', files)).toThrow(
      expect.objectContaining({
        family: 'source',
        code: 'duplicate-file',
        details: { folder: 'model', file: 'config.json' },
      }),
    );
  });

  test('leaves out what lies in sub-folders of the folder that was picked', async () => {
    const folder = new FilesFolder('model', [picked('model/onnx/config.json'), picked('model/config.json')]);
    expect(folder.names).toEqual(['config.json']);
    expect(new TextDecoder().decode(await (await folder.open('config.json')).read(0, 17))).toBe('model/config.json');
  });
});

describe('MemoryFolder', () => {
  test('shows a file only when it is closed', async () => {
    const folder = new MemoryFolder('memory');
    const sink = await folder.create('a');
    await sink.write(new Uint8Array([1]));
    expect(folder.names).toEqual([]);
    await sink.close();
    expect(folder.names).toEqual(['a']);
  });
});
