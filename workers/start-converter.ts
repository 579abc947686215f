import { type ConvertReply, type ConvertThread, ThreadConverter } from '../src/core/calibration/thread-converter.ts';

function browserThread(): ConvertThread {
  const worker = new Worker(new URL('./convert.worker.ts', import.meta.url), { type: 'module' });
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    onReply: (listener) => worker.addEventListener('message', ({ data }: MessageEvent<ConvertReply>) => listener(data)),
    onEnd: (listener) => {
      worker.addEventListener('error', ({ message }) => listener(message || 'it could not be loaded'));
      worker.addEventListener('messageerror', () => listener('an answer could not be read'));
    },
    terminate: () => worker.terminate(),
  };
}

/** A second worker that decodes weights. @throws StudioError family `backend` code `converter-lost` when none can be had. */
export function startConverter(): Promise<ThreadConverter> {
  return ThreadConverter.start(browserThread());
}
