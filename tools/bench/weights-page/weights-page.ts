import type { Task } from './weights.worker.ts';

/** In MiniMax-M2's own sizes, but for fewer experts and layers. */
const REAL = { layers: 2, experts: 32, topK: 8, hidden: 3072, inner: 1536 } as const;
const DEFAULT: readonly Task[] = [
  { backend: 'webgpu', sizes: REAL, tokens: 2048 },
  { backend: 'webgpu', sizes: REAL, tokens: 16_384 },
  { backend: 'wasm', sizes: REAL, tokens: 512 },
];

/** Runs one task in a worker of its own. @returns whether it succeeded. */
function runTask(task: Task, say: (line: string) => void): Promise<boolean> {
  const worker = new Worker(new URL('./weights.worker.ts', import.meta.url), { type: 'module' });
  return new Promise((resolve) => {
    const end = (done: boolean): void => {
      worker.terminate();
      resolve(done);
    };
    worker.addEventListener('error', ({ message }) => {
      say(`  failed: ${message}`);
      end(false);
    });
    worker.addEventListener('message', ({ data }: MessageEvent<{ line?: string; done?: boolean }>) => {
      if (data.line !== undefined) say(data.line);
      if (data.done !== undefined) end(data.done);
    });
    worker.postMessage(task);
  });
}

/** Runs tasks one after the other. @returns the lines that they printed. @throws Error when one failed. */
async function measure(tasks: readonly Task[], say: (line: string) => void = () => {}): Promise<string[]> {
  const lines: string[] = [];
  const element = document.querySelector('#lines');
  const print = (line: string): void => {
    lines.push(line);
    element?.append(`${line}\n`);
    say(line);
  };
  for (const task of tasks) if (!(await runTask(task, print))) throw new Error(lines.at(-1));
  return lines;
}

Object.assign(globalThis, { measure });

/** `?report`: runs the default tasks by itself and posts what it prints, for a machine without a person at it. */
if (new URLSearchParams(location.search).has('report')) {
  const post = (path: string, body: string): Promise<unknown> => fetch(path, { method: 'POST', body });
  let posted: Promise<unknown> = post('/log', navigator.userAgent);
  const say = (line: string): void => {
    posted = posted.then(() => post('/log', line)).catch(() => undefined);
  };
  await measure(DEFAULT, say).catch((error: unknown) => say(String(error)));
  await posted;
  await post('/done', '');
}
