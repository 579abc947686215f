import { Worker } from 'node:worker_threads';
import { type ConvertReply, type ConvertThread, ThreadConverter } from '../core/calibration/thread-converter.ts';

/** A thread does not inherit the loader of TypeScript that its process runs under. */
function fromSource(file: URL): Worker {
  const [loader, thread] = [import.meta.resolve('tsx/esm/api'), file.href].map((url) => JSON.stringify(url));
  return new Worker(`import(${loader}).then(({ register }) => { register(); return import(${thread}); })`, {
    eval: true,
  });
}

/** Beside this file, as source or as bundled. */
function startThread(): Worker {
  const bundled = !import.meta.url.endsWith('.ts');
  return bundled
    ? new Worker(new URL('./convert-thread.mjs', import.meta.url))
    : fromSource(new URL('./convert-thread.ts', import.meta.url));
}

function nodeThread(worker: Worker): ConvertThread {
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    onReply: (listener) => worker.on('message', (reply: ConvertReply) => listener(reply)),
    onEnd: (listener) => {
      worker.on('error', (error: Error) => listener(error.message));
      worker.on('exit', (code) => listener(`exit code ${code}`));
    },
    // An idle thread keeps no process alive.
    onBusy: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

/** A second thread that decodes weights. @throws StudioError family `backend` code `converter-lost` when none can be had. */
export function startConverter(start: () => Worker = startThread): Promise<ThreadConverter> {
  const worker = start();
  worker.unref();
  return ThreadConverter.start(nodeThread(worker));
}
