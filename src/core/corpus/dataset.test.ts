import { describe, expect, it } from 'vitest';
import { chooseFiles, convertedFiles, ownFiles } from './dataset-files.ts';
import { parseDatasets } from './dataset-spec.ts';

const files = (...names: string[]) => names.map((name) => ({ name, size: 1 }));
const spec = (subset?: string, split?: string) => ({
  name: 'o/n',
  repo: 'o/n',
  samples: 1,
  ...(subset === undefined ? {} : { subset }),
  ...(split === undefined ? {} : { split }),
});

describe('the composite name', () => {
  it('holds data sets with and without subset and split', () => {
    expect(
      parseDatasets('hf:theblackcat102/evol-codealpaca-v1:4096, allenai/c4[en](train):10,o/n@v1.0(test, b):2'),
    ).toEqual([
      { name: 'theblackcat102/evol-codealpaca-v1', repo: 'theblackcat102/evol-codealpaca-v1', samples: 4096 },
      { name: 'allenai/c4[en](train)', repo: 'allenai/c4', subset: 'en', split: 'train', samples: 10 },
      { name: 'o/n(test, b)', repo: 'o/n', revision: 'v1.0', split: 'test, b', samples: 2 },
    ]);
  });

  it.each(['o/n', 'o/n:', 'o/n:0', 'o/n:1.5', 'o/n[a:3', 'o/n[](b):3', 'o/n(b)[a]:3', '', 'o/n:1,', ':3', 'o/n:-1'])(
    '%j is refused',
    (text) => {
      expect(() => parseDatasets(text)).toThrow(expect.objectContaining({ family: 'usage' }));
    },
  );

  it('says what is wrong with the name itself', () => {
    expect(() => parseDatasets('c4:3')).toThrow(
      expect.objectContaining({ code: 'bad-repo-name', nextStep: expect.stringContaining('allenai/c4') }),
    );
  });
});

const converted = (...names: string[]) => convertedFiles(files(...names)) ?? new Map();

describe('files', () => {
  it('that the hub converted lie by subset and split', () => {
    const table = converted(
      'en/train/0001.parquet',
      'en/train/0000.parquet',
      'en/partial-test/0000.parquet',
      'de/train/0000.parquet',
      'x.md',
    );
    expect(chooseFiles(table, spec('en'))).toMatchObject({
      subset: 'en',
      split: 'train',
      files: [{ name: 'en/train/0000.parquet' }, { name: 'en/train/0001.parquet' }],
    });
    expect(chooseFiles(table, spec('en', 'test')).files).toHaveLength(1);
  });

  it('that others lie beside are not the hub’s', () => {
    expect(convertedFiles(files('default/train/0000.parquet', 'data/train-00000-of-00001.parquet'))).toBeUndefined();
    expect(convertedFiles(files('train.jsonl'))).toBeUndefined();
  });

  it.each([
    ['data/train-00000-of-00002.parquet', 'default', 'train'],
    ['data/train_sft-00000-of-00001-0abc12.parquet', 'default', 'train_sft'],
    ['main/test-00000-of-00001.parquet', 'main', 'test'],
    ['train.jsonl', 'default', 'train'],
    ['en/valid.jsonl', 'en', 'validation'],
    ['train/part1.txt', 'default', 'train'],
    ['alpaca.jsonl', 'default', 'train'],
    ['latest.jsonl', 'default', 'train'],
  ])('of the owner: %s is %s, %s', (name, subset, split) => {
    expect(chooseFiles(ownFiles(files(name)), spec())).toMatchObject({ subset, split, files: [{ name }] });
  });

  it('of the owner are of one format', () => {
    const part = chooseFiles(ownFiles(files('a.jsonl', 'data/train-00000-of-00001.parquet', 'b.txt')), spec());
    expect(part.files.map(({ name }) => name)).toEqual(['data/train-00000-of-00001.parquet']);
  });

  it('of the default subset and the training split are meant where none is named', () => {
    const table = converted('a/train/0.parquet', 'default/train/0.parquet', 'default/test/0.parquet');
    expect(chooseFiles(table, spec())).toMatchObject({ subset: 'default', split: 'train' });
  });

  it.each([
    [['b/train/0.parquet', 'a/train/0.parquet'], spec(), 'several-subsets', 'has b, a'],
    [['b/train/0.parquet'], spec('a'), 'unknown-subset', 'no subset "a": it has b'],
    [['b/one/0.parquet', 'b/two/0.parquet'], spec(), 'several-splits', 'has one, two'],
    [['b/train/0.parquet'], spec(undefined, 'test'), 'unknown-split', 'no split "test": it has train'],
    [['README.md'], spec(), 'no-dataset-files', 'holds no parquet'],
  ])('%j of %j are refused with %s', (names, wanted, code, message) => {
    expect(() => chooseFiles(converted(...names), wanted)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
