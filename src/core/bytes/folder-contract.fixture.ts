import { describe, expect, test } from 'vitest';
import type { TargetFolder } from './byte-sink.ts';
import type { SourceFolder } from './byte-source.ts';
import { sampleBytes } from './byte-source-contract.fixture.ts';

/** What every SourceFolder does. `make` opens one that holds exactly the files given. */
export function describeSourceFolder(
  label: string,
  make: (files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) => Promise<SourceFolder>,
): void {
  describe(`${label} is a SourceFolder`, () => {
    const files = new Map([
      ['config.json', new TextEncoder().encode('{}')],
      ['a b%20é.safetensors', sampleBytes(1000)],
      ['__proto__', sampleBytes(3)],
    ]);

    test('names its files and opens each', async () => {
      const folder = await make(files);
      expect([...folder.names].sort()).toEqual([...files.keys()].sort());
      expect(folder.label).not.toBe('');
      for (const [name, bytes] of files) {
        const source = await folder.open(name);
        expect(source.name).toBe(name);
        expect(Buffer.compare(await source.read(0, source.size), bytes)).toBe(0);
      }
    });

    test.each(['model.safetensors', '../config.json', 'constructor', '', '.'])(
      'refuses to open %j, and says what is there',
      async (name) => {
        const refusal = (await make(files)).open(name);
        await expect(refusal).rejects.toMatchObject({
          family: 'source',
          code: 'missing-file',
          details: { file: name },
        });
        await expect(refusal).rejects.toThrow('config.json');
      },
    );

    test('may be empty', async () => {
      const folder = await make(new Map());
      expect(folder.names).toEqual([]);
      await expect(folder.open('config.json')).rejects.toThrow('it holds no files');
    });
  });
}

/** What every TargetFolder does. `make` gives an empty one. */
export function describeTargetFolder(label: string, make: () => Promise<TargetFolder>): void {
  describe(`${label} is a TargetFolder`, () => {
    const write = async (
      folder: TargetFolder,
      name: string,
      chunks: readonly Uint8Array<ArrayBuffer>[],
    ): Promise<void> => {
      const sink = await folder.create(name);
      for (const chunk of chunks) await sink.write(chunk);
      await sink.close();
    };
    const read = async (folder: TargetFolder, name: string): Promise<Uint8Array> => {
      const source = await folder.open(name);
      return source.read(0, source.size);
    };

    test('gives back what was written, and lists it', async () => {
      const folder = await make();
      expect(await folder.list()).toEqual([]);
      const bytes = sampleBytes();
      await write(folder, 'b', [bytes.slice(0, 100_000), new Uint8Array(0), bytes.slice(100_000)]);
      await write(folder, 'a', []);
      expect([...(await folder.list())].sort()).toEqual(['a', 'b']);
      expect(Buffer.compare(await read(folder, 'b'), bytes)).toBe(0);
      expect(await read(folder, 'a')).toHaveLength(0);
    });

    test('lets the caller use its buffer again after each write', async () => {
      const folder = await make();
      const sink = await folder.create('a');
      const buffer = new Uint8Array([1, 2]);
      await sink.write(buffer);
      buffer.set([3, 4]);
      await sink.write(buffer);
      await sink.close();
      expect([...(await read(folder, 'a'))]).toEqual([1, 2, 3, 4]);
    });

    test('writes over no file', async () => {
      const folder = await make();
      await write(folder, 'a', [new Uint8Array([1])]);
      await expect(folder.create('a')).rejects.toMatchObject({
        family: 'export',
        code: 'file-exists',
        details: { file: 'a' },
      });
      expect([...(await read(folder, 'a'))]).toEqual([1]);
    });

    test('lets one writer only have a name', async () => {
      const folder = await make();
      const first = await folder.create('a');
      await expect(folder.create('a')).rejects.toMatchObject({ code: 'file-exists' });
      await first.close();
    });

    test('keeps nothing of a file that was given up, and takes its name again', async () => {
      const folder = await make();
      const sink = await folder.create('a');
      await sink.write(new Uint8Array([1]));
      await sink.abort(new Error('enough'));
      expect(await folder.list()).toEqual([]);
      await write(folder, 'a', [new Uint8Array([2])]);
      expect([...(await read(folder, 'a'))]).toEqual([2]);
    });

    test('removes a file', async () => {
      const folder = await make();
      await write(folder, 'a', [new Uint8Array([1])]);
      await folder.remove('a');
      expect(await folder.list()).toEqual([]);
      await expect(folder.open('a')).rejects.toMatchObject({
        family: 'source',
        code: 'missing-file',
        details: { file: 'a' },
      });
      await expect(folder.remove('a')).rejects.toMatchObject({ family: 'source', code: 'missing-file' });
    });
  });
}
