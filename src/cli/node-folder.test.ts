import { chmod, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeByteSource, sampleBytes } from '../core/bytes/byte-source-contract.fixture.ts';
import { describeSourceFolder, describeTargetFolder } from '../core/bytes/folder-contract.fixture.ts';
import { NodeFileSource } from './node-file-source.ts';
import { createTargetFolder, openNodeFolder } from './node-folder.ts';

let root = '';
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'reap-studio-'));
});
afterAll(() => rm(root, { recursive: true }));

async function newFolder(): Promise<string> {
  count += 1;
  const path = join(root, `folder-${count}`);
  await mkdir(path);
  return path;
}

async function newFile(bytes: Uint8Array = sampleBytes(1000), name = 'a'): Promise<string> {
  const path = join(await newFolder(), name);
  await writeFile(path, bytes);
  return path;
}

describeByteSource('NodeFileSource', async (name, bytes) => NodeFileSource.open(await newFile(bytes, name)));
describeSourceFolder('openNodeFolder', async (files) => {
  const path = await newFolder();
  for (const [name, bytes] of files) await writeFile(join(path, name), bytes);
  return openNodeFolder(path);
});
describeTargetFolder('createTargetFolder', async () => createTargetFolder(await newFolder()));

describe('NodeFileSource refuses a file that changed', () => {
  const changes: readonly (readonly [how: string, change: (path: string) => Promise<void>])[] = [
    ['grown', (path) => writeFile(path, sampleBytes(1001))],
    ['cut', (path) => truncate(path, 5)],
    ['another time', (path) => utimes(path, new Date(), new Date(0))],
    ['replaced', async (path) => rename(await newFile(sampleBytes(1001)), path)],
    ['deleted', (path) => rm(path)],
  ];
  test.each(changes)('%s', async (_, change) => {
    const path = await newFile();
    const source = await NodeFileSource.open(path);
    expect(await source.read(0, 10)).toEqual(sampleBytes(1000).subarray(0, 10));
    await change(path);
    await expect(source.read(0, 10)).rejects.toMatchObject({
      family: 'source',
      code: 'changed',
      details: { file: 'a' },
    });
    await expect(source.read(900, 10)).rejects.toMatchObject({ code: 'changed' });
  });
});

describe('openNodeFolder', () => {
  test('sees files through symbolic links and leaves folders out', async () => {
    const path = await newFolder();
    await mkdir(join(path, 'onnx'));
    await symlink(await newFile(), join(path, 'model.safetensors'));
    await symlink(join(path, 'gone'), join(path, 'dangling'));
    await symlink(join(path, 'onnx'), join(path, 'linked-folder'));
    const folder = await openNodeFolder(path);
    expect(folder.names).toEqual(['model.safetensors']);
    expect((await folder.open('model.safetensors')).size).toBe(1000);
  });

  test('is called as the folder is, also for a relative path', async () => {
    expect((await openNodeFolder(`${await newFolder()}/.`)).label).toBe(`folder-${count}`);
  });

  test('says whether a path is missing or a file', async () => {
    const file = await newFile();
    await expect(openNodeFolder(`${file}-gone`)).rejects.toMatchObject({ family: 'source', code: 'missing-folder' });
    await expect(openNodeFolder(file)).rejects.toMatchObject({ family: 'source', code: 'not-a-folder' });
  });

  test('does not open a folder as a file', async () => {
    const path = await newFolder();
    await mkdir(join(path, 'onnx'));
    await expect((await openNodeFolder(path)).open('onnx')).rejects.toMatchObject({ family: 'source' });
  });
});

describe('createTargetFolder', () => {
  test('makes the folder with those above it', async () => {
    const folder = await createTargetFolder(join(await newFolder(), 'out', 'pruned'));
    expect(folder.label).toBe('pruned');
    expect(await folder.list()).toEqual([]);
  });

  test('lists sub-folders, so that a folder with one is not taken for empty', async () => {
    const path = await newFolder();
    await mkdir(join(path, 'other'));
    expect(await (await createTargetFolder(path)).list()).toEqual(['other']);
  });

  test.each(['../a', 'a/b', 'a\\b', '..', '.', '', 'a\0'])('refuses to write outside the folder: %j', async (name) => {
    const folder = await createTargetFolder(await newFolder());
    await expect(folder.create(name)).rejects.toMatchObject({ family: 'export', code: 'bad-file-name' });
    await expect(folder.remove(name)).rejects.toMatchObject({ code: 'missing-file' });
  });

  test('refuses a path where a file stands', async () => {
    const file = await newFile();
    await expect(createTargetFolder(file)).rejects.toMatchObject({ family: 'export', code: 'bad-target' });
    await expect(createTargetFolder(join(file, 'out'))).rejects.toMatchObject({ family: 'export', code: 'bad-target' });
  });

  test.skipIf(process.getuid?.() === 0)('passes on that writing is not allowed', async () => {
    const path = await newFolder();
    await chmod(path, 0o500);
    await expect((await createTargetFolder(path)).create('a')).rejects.toMatchObject({ code: 'EACCES' });
  });
});
