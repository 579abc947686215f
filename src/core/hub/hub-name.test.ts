import { describe, expect, test } from 'vitest';
import { parseHubName } from './hub-name.ts';

const MODEL = { kind: 'model', repo: 'Qwen/Qwen3-30B-A3B' };
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

describe('the name of a repository', () => {
  test.each([
    'Qwen/Qwen3-30B-A3B',
    ' Qwen/Qwen3-30B-A3B ',
    'hf:Qwen/Qwen3-30B-A3B',
    'HF://Qwen/Qwen3-30B-A3B',
    'models/Qwen/Qwen3-30B-A3B',
    'https://huggingface.co/Qwen/Qwen3-30B-A3B',
    'http://www.huggingface.co/Qwen/Qwen3-30B-A3B/',
    'huggingface.co/Qwen/Qwen3-30B-A3B?library=transformers#use',
    'https://hf.co/Qwen/Qwen3-30B-A3B/discussions/12',
    'https://huggingface.co/Qwen/Qwen3-30B-A3B/tree',
  ])('is read from %j', (text) => expect(parseHubName(text)).toEqual(MODEL));

  test.each([
    ['Qwen/Qwen3-30B-A3B@main', 'main'],
    [`hf:Qwen/Qwen3-30B-A3B@${COMMIT}`, COMMIT],
    ['Qwen/Qwen3-30B-A3B@refs/pr/7', 'refs/pr/7'],
    ['Qwen/Qwen3-30B-A3B@v1.0+fp8', 'v1.0+fp8'],
    ['https://huggingface.co/Qwen/Qwen3-30B-A3B/tree/v1.0', 'v1.0'],
    [`https://huggingface.co/Qwen/Qwen3-30B-A3B/blob/${COMMIT}/config.json`, COMMIT],
    ['https://huggingface.co/Qwen/Qwen3-30B-A3B/resolve/main/model.safetensors?download=true', 'main'],
    ['https://huggingface.co/Qwen/Qwen3-30B-A3B/tree/refs%2Fpr%2F7', 'refs/pr/7'],
  ])('is read with its revision from %j', (text, revision) => {
    expect(parseHubName(text)).toEqual({ ...MODEL, revision });
  });

  test('of a data set says so', () => {
    const expected = { kind: 'dataset', repo: 'allenai/c4' };
    expect(parseHubName('datasets/allenai/c4')).toEqual(expected);
    expect(parseHubName('hf:datasets/allenai/c4@main')).toEqual({ ...expected, revision: 'main' });
    expect(parseHubName('https://huggingface.co/datasets/allenai/c4/viewer/en/train')).toEqual(expected);
  });
});

describe('what is no name of a repository', () => {
  test.each([
    ['', 'bad-repo-name'],
    ['hf:', 'bad-repo-name'],
    ['gpt2', 'bad-repo-name'],
    ['Qwen/Qwen3/30B', 'bad-repo-name'],
    ['/Qwen3', 'bad-repo-name'],
    ['../secrets', 'bad-repo-name'],
    ['Qwen/..', 'bad-repo-name'],
    ['Qwen/a--b', 'bad-repo-name'],
    ['Qwen/a b', 'bad-repo-name'],
    ['Qwen/a%2fb', 'bad-repo-name'],
    [`Qwen/${'a'.repeat(92)}`, 'bad-repo-name'],
    ['Qwen/Qwen3@', 'bad-revision'],
    ['Qwen/Qwen3@../../main', 'bad-revision'],
    ['Qwen/Qwen3@a b', 'bad-revision'],
    ['Qwen/Qwen3@a?b', 'bad-revision'],
    ['https://huggingface.co/spaces/org/demo', 'not-a-repo'],
    ['https://huggingface.co/', 'bad-repo-name'],
    ['https://example.org/Qwen/Qwen3', 'other-hub'],
    ['https://huggingface.co.example.org/Qwen/Qwen3', 'other-hub'],
    ['https://user:secret@example.org/Qwen/Qwen3', 'other-hub'],
    ['https://huggingface.co/%E0%A4%A/x', 'bad-repo-name'],
  ])('%j is refused as %s, with a next step', (text, code) => {
    let thrown: unknown;
    try {
      parseHubName(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ family: 'usage', code, nextStep: expect.stringMatching(/\.$/) });
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain('secret@');
  });
});
