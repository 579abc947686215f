import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_ENDPOINT } from '../core/hub/hub-name.ts';
import { askForRepo, checkTokenMayTravel, chooseEndpoint, closeRepoDialog, hubStore } from './hub-store.ts';

const kept = new Map<string, string>();
vi.stubGlobal('localStorage', {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => kept.set(key, value),
  removeItem: (key: string) => kept.delete(key),
});

beforeEach(() => {
  kept.clear();
  chooseEndpoint(DEFAULT_ENDPOINT);
  closeRepoDialog();
});

describe('endpoint', () => {
  it('is kept for the next visit, the usual one by keeping nothing', async () => {
    chooseEndpoint('https://mirror.example');
    expect(hubStore.getState().endpoint).toBe('https://mirror.example');
    expect([...kept.values()]).toEqual(['https://mirror.example']);
    vi.resetModules();
    expect((await import('./hub-store.ts')).hubStore.getState().endpoint).toBe('https://mirror.example');
    chooseEndpoint(DEFAULT_ENDPOINT);
    expect(kept.size).toBe(0);
  });

  it('that was kept is checked like one that is typed', async () => {
    kept.set('reap-studio.hub-endpoint', 'javascript:alert(1)');
    vi.resetModules();
    expect((await import('./hub-store.ts')).hubStore.getState().endpoint).toBe(DEFAULT_ENDPOINT);
  });
});

describe('token', () => {
  it.each(['https://huggingface.co', 'http://127.0.0.1:4600', 'http://localhost:1', 'http://[::1]:8'])(
    'may travel to %s',
    (endpoint) => expect(() => checkTokenMayTravel(endpoint)).not.toThrow(),
  );

  it.each(['http://mirror.example', 'http://127.0.0.1.mirror.example', 'http://localhost.example'])(
    'may not travel to %s',
    (endpoint) => {
      expect(() => checkTokenMayTravel(endpoint)).toThrow(expect.objectContaining({ code: 'token-unprotected' }));
    },
  );
});

it('asks at the endpoint that was chosen last, unless another is named', () => {
  chooseEndpoint('https://mirror.example');
  askForRepo();
  expect(hubStore.getState().request).toEqual({ name: '', endpoint: 'https://mirror.example', submit: false });
  askForRepo({ name: 'org/name', endpoint: DEFAULT_ENDPOINT, submit: true });
  expect(hubStore.getState().request).toEqual({ name: 'org/name', endpoint: DEFAULT_ENDPOINT, submit: true });
});
