import { expect, it } from 'vitest';
import type { VerifyProblem, VerifyReport } from '../../core/protocol/export-protocol.ts';
import { verificationText } from '../../stores/verify-report-file.ts';
import { folderOfInput } from './picked-folder.ts';
import { problemGroups, verdict } from './verdict.ts';

const problem = (file: string | null, message: string): VerifyProblem => ({ code: 'x', file, tensor: null, message });
const report = (problems: readonly VerifyProblem[], comparedWithSource = true): VerifyReport => ({
  files: 2,
  tensors: 3,
  bytes: 4,
  comparedWithSource,
  sourceFiles: 0,
  publishedFiles: 0,
  problems,
});

it('puts the problems of a file together, each sentence once, the first of many', () => {
  const many = Array.from({ length: 20 }, (_, index) => problem('b', `Tensor ${index} is wrong.`));
  const groups = problemGroups([problem('a', 'Byte 1.'), problem(null, 'All.'), problem('a', 'Byte 1.'), ...many]);
  expect(groups.map(({ file, messages, more }) => [file, messages.length, more])).toEqual([
    ['a', 1, 0],
    ['', 1, 0],
    ['b', 12, 8],
  ]);
});

it('calls a folder right only for what it was held against', () => {
  expect(verdict(report([]), 'out', 'model')).toMatch(/byte that the export of "model" by its plan has/);
  expect(verdict(report([], false), 'out', 'model')).toMatch(/by the hashes in the folder itself/);
  expect(verdict(report([problem('a', 'Wrong.')]), 'out', null)).toMatch(/^One thing is wrong with "out"/);
});

it('saves a report that says whether all is right', () => {
  const folder = { kind: 'files', label: 'out', files: [] } as const;
  const saved = JSON.parse(verificationText({ folder, source: null }, report([problem('a', 'Wrong.')], false)));
  expect(saved).toMatchObject({
    format: 'reap-studio/verification',
    folder: 'out',
    source: null,
    ok: false,
    problems: [{ message: 'Wrong.' }],
  });
});

it('takes the files of a picked folder and not those further down', () => {
  const file = (path: string): File => {
    const made = new File(['x'], path.split('/').at(-1) ?? '');
    Object.defineProperty(made, 'webkitRelativePath', { value: path });
    return made;
  };
  const spec = folderOfInput([file('out/config.json'), file('out/deep/config.json')]);
  expect(spec).toMatchObject({ kind: 'files', label: 'out' });
  if (spec.kind === 'files') expect(spec.files).toHaveLength(1);
  expect(() => folderOfInput([file('out/deep/config.json')])).toThrow(/"out" holds no files/);
});
