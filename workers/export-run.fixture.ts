import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import { openCheckpoint } from '../src/core/checkpoint/open-checkpoint.ts';
import { fixtureModel, fixturePlan } from '../src/core/export/small-model.fixture.ts';
import { serialisePlan } from '../src/core/plan/plan-file.ts';
import type { ExportDestination, ExportEvent } from '../src/core/protocol/export-protocol.ts';
import { DirectoryTarget } from './directory-target.ts';
import type { createExportApi, ExportPlatform } from './export-api.ts';
import { MemoryDirectory } from './memory-directory.fixture.ts';
import { openSource } from './open-source.ts';

export const model = fixtureModel({ sharded: true });
const files = [...model.files].map(([name, bytes]) => new File([bytes], name));
export const source = { kind: 'files', label: 'fixture', files } as const;

async function planJson(): Promise<string> {
  const plan = fixturePlan(await openCheckpoint(model.asSource()), [
    [1, 3],
    [0, 2],
  ]);
  return serialisePlan(plan);
}

export function platform(changes: Partial<ExportPlatform> = {}, root = new MemoryDirectory('')): ExportPlatform {
  return { openSource, privateRoot: async () => root.handle, exclusively: (job) => job(), ...changes };
}

/** Runs an export and gives its events; `onEvent` sees each as it comes. */
export async function run(
  api: ReturnType<typeof createExportApi>,
  destination: ExportDestination,
  onEvent: (event: ExportEvent) => void = () => undefined,
  options: { readonly shardBytes?: number } = {},
): Promise<ExportEvent[]> {
  const request = { source, planJson: await planJson(), destination, ...options };
  return follow((port) => api.exportModel(request, port), onEvent);
}

export async function follow<Event extends { readonly type: string }>(
  start: (port: MessagePort) => Promise<void>,
  onEvent: (event: Event) => void,
): Promise<Event[]> {
  const { port1, port2 } = new MessageChannel();
  const events: Event[] = [];
  const ended = new Promise<void>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<Event>) => {
      events.push(data);
      onEvent(data);
      if (data.type !== 'progress') resolve();
    };
  });
  await start(port2);
  await ended;
  port1.close();
  return events;
}

/** All files of a folder. */
export async function contentOf(directory: MemoryDirectory): Promise<Map<string, Uint8Array>> {
  const target = new DirectoryTarget(directory.handle);
  const content = new Map<string, Uint8Array>();
  for (const name of [...(await target.list())].sort()) {
    const file = await target.open(name);
    content.set(name, await file.read(0, file.size));
  }
  return content;
}

export async function folderOf(directory: MemoryDirectory): Promise<SourceFolder> {
  const target = new DirectoryTarget(directory.handle);
  return { label: directory.name, names: await target.list(), open: (name) => target.open(name) };
}

export function asFolder(folder: SourceFolder): SourceFolder {
  return { label: folder.label, names: folder.names, open: (name, signal) => folder.open(name, signal) };
}

/** A source that lets messages through between its reads, as a real disk does. */
export function slowly(folder: SourceFolder): SourceFolder {
  return {
    ...folder,
    open: async (name, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return folder.open(name, signal);
    },
  };
}
