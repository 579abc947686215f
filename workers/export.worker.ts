import { expose } from 'comlink';
import { createExportApi, exportRunning } from './export-api.ts';
import { openSource } from './open-source.ts';

expose(
  createExportApi({
    openSource,
    privateRoot: () => navigator.storage.getDirectory(),
    exclusively: (job) =>
      navigator.locks.request('reap-studio-export', { ifAvailable: true }, (lock) => {
        if (lock === null) throw exportRunning();
        return job();
      }),
  }),
);
