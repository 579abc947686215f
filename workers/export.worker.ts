import { expose } from 'comlink';
import { createExportApi, exportRunning } from './export-api.ts';
import { announceLife } from './life-lock.ts';
import { openSource } from './open-source.ts';
import { threadedHashing } from './threaded-hasher.ts';

expose(
  createExportApi({
    openSource,
    openHasher: threadedHashing((onFailure) => {
      const thread = new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module', name: 'hash' });
      thread.onerror = (event) => onFailure(new Error(`The hashing thread stopped: ${event.message}`));
      return thread;
    }),
    privateRoot: () => navigator.storage.getDirectory(),
    exclusively: (job) =>
      navigator.locks.request('reap-studio-export', { ifAvailable: true }, (lock) => {
        if (lock === null) throw exportRunning();
        return job();
      }),
  }),
);
announceLife();
