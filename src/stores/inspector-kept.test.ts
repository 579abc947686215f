import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { dropKeptDescriptor, keepDescriptor, keptDescriptor, withKeptDescriptor } from './inspector-kept.ts';

const SPEC: SourceSpec = { kind: 'files', label: 'mystery', files: [] };
const readModelType = vi.hoisted(() => vi.fn<(source: SourceSpec) => Promise<string>>());
vi.mock('../client/inspect-client.ts', () => ({ readModelType }));

/** A storage whose items are its own keys and whose methods are not, as in a browser. */
function storage(): object {
  const methods = {
    getItem(this: Record<string, string>, key: string) {
      return Object.hasOwn(this, key) ? this[key] : null;
    },
    setItem(this: Record<string, string>, key: string, value: string) {
      this[key] = value;
    },
    removeItem(this: Record<string, string>, key: string) {
      delete this[key];
    },
  };
  return Object.create(methods);
}

beforeEach(() => {
  vi.stubGlobal('localStorage', storage());
  readModelType.mockReset().mockResolvedValue('mystery');
});
afterEach(() => vi.unstubAllGlobals());

it('gives a source the descriptor that is kept for its type', async () => {
  expect(keepDescriptor('mystery', 'text')).toBe(true);
  expect(await withKeptDescriptor(SPEC)).toEqual({ ...SPEC, descriptor: 'text' });
  readModelType.mockResolvedValue('another');
  expect(await withKeptDescriptor(SPEC)).toBeNull();
  dropKeptDescriptor('mystery');
  expect(keptDescriptor('mystery')).toBeNull();
});

it('reads no file where nothing is kept, or the source has a descriptor already', async () => {
  expect(await withKeptDescriptor(SPEC)).toBeNull();
  keepDescriptor('mystery', 'text');
  expect(await withKeptDescriptor({ ...SPEC, descriptor: 'own' })).toBeNull();
  expect(readModelType).not.toHaveBeenCalled();
});

it('leaves a config that cannot be read to whoever opens the model', async () => {
  keepDescriptor('mystery', 'text');
  readModelType.mockRejectedValue(new Error('gone'));
  expect(await withKeptDescriptor(SPEC)).toBeNull();
});

it('keeps nothing where the browser stores nothing', () => {
  vi.stubGlobal('localStorage', undefined);
  expect(keepDescriptor('mystery', 'text')).toBe(false);
  expect(keptDescriptor('mystery')).toBeNull();
});
