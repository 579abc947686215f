import { expect, it } from 'vitest';
import { checkpointSource, filesOfInput, looseFiles } from './folder-files.ts';

const file = (name: string, path = '') => Object.assign(new File([''], name), { webkitRelativePath: path });

it('takes loose files for a checkpoint when config.json is among them', () => {
  const files = [file('config.json'), file('model.safetensors')];
  expect(checkpointSource(looseFiles(files))).toEqual({ kind: 'files', label: '2 files', files });
});

it.each([
  [['model.safetensors'], '"model.safetensors" is one file of a checkpoint'],
  [['a.safetensors', 'b.safetensors'], 'These 2 files are not all'],
])('says of %j what else is needed', (names, what) => {
  expect(() => checkpointSource(looseFiles(names.map((name) => file(name))))).toThrow(
    expect.objectContaining({
      family: 'source',
      code: 'no-config',
      message: expect.stringMatching(`^${what}: config.json`),
      nextStep: expect.stringContaining('tokenizer.json'),
    }),
  );
});

it('refuses a folder without files by its name', () => {
  expect(() => checkpointSource({ label: 'empty', files: [] })).toThrow(/The folder "empty" holds no files/);
});

it('takes a folder by its handle, which opens files that were replaced as they are then', () => {
  // Only passed on: what it can do is the browser's affair.
  const handle = { kind: 'directory', name: 'model' } as FileSystemDirectoryHandle;
  expect(checkpointSource({ label: 'model', files: [file('config.json')], handle })).toEqual({
    kind: 'directory',
    label: 'model',
    handle,
    chosen: [{ name: 'config.json', size: 0, lastModified: expect.any(Number) }],
  });
});

it('leaves out files further down and hidden ones of a picked folder', () => {
  const group = filesOfInput([
    file('config.json', 'model/config.json'),
    file('.gitattributes', 'model/.gitattributes'),
    file('config.json', 'model/original/config.json'),
  ]);
  expect(group.label).toBe('model');
  expect(group.files.map(({ webkitRelativePath }) => webkitRelativePath)).toEqual(['model/config.json']);
});
