import { StudioError } from '../base/errors.ts';
import type { ByteSink, TargetFolder } from '../bytes/byte-sink.ts';
import type { ByteSource, SourceFolder } from '../bytes/byte-source.ts';
import { MemorySource } from '../bytes/memory-source.ts';

export type TargetCall = 'list' | 'create' | 'close' | 'open' | 'read' | 'remove';

/** What goes wrong in a FaultFolder. Bytes are counted over all files, in the order of writing. */
export interface Fault {
  /** The write that reaches this byte stores what comes before it and fails. */
  readonly writeFailsAt?: number;
  /** This byte is lost without a word. */
  readonly dropsByte?: number;
  /** A bit of this byte is stored wrong without a word. */
  readonly flipsByte?: number;
  /** The write that reaches this byte stores what comes before it, drops the rest and says that all went well. */
  readonly cutsWriteAt?: number;
  /** The call of this kind with this number, from 0, fails. A `read` is one of a file that was opened again. */
  readonly callFails?: { readonly call: TargetCall; readonly index: number };
  readonly error?: Error;
  /** After the failure nothing answers any more, as when the process was killed: half-written files stay. */
  readonly kills?: boolean;
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** Test fixture: a folder in memory that fails as disks and browsers do. */
export class FaultFolder implements TargetFolder {
  readonly label = 'target';
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  readonly #fault: Fault;
  #written = 0;
  readonly #calls = new Map<TargetCall, number>();
  #killed = false;

  constructor(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map(), fault: Fault = {}) {
    this.files = new Map(files);
    this.#fault = fault;
  }

  /** All bytes written so far, over all files. */
  get written(): number {
    return this.#written;
  }

  /** How often the folder was called so. */
  calls(call: TargetCall): number {
    return this.#calls.get(call) ?? 0;
  }

  asSource(label = 'target'): SourceFolder {
    return { label, names: [...this.files.keys()], open: (name) => this.open(name) };
  }

  async list(): Promise<readonly string[]> {
    this.#answer('list');
    return [...this.files.keys()];
  }

  async create(name: string): Promise<ByteSink> {
    this.#answer('create');
    if (this.files.has(name)) throw new Error(`"${name}" exists`);
    this.files.set(name, new Uint8Array());
    return {
      write: async (chunk) => this.#write(name, chunk),
      close: async () => this.#answer('close'),
      abort: async () => {
        this.#answer();
        this.files.delete(name);
      },
    };
  }

  async open(name: string): Promise<ByteSource> {
    this.#answer('open');
    const bytes = this.files.get(name);
    if (bytes === undefined)
      throw new StudioError('source', 'missing-file', `There is no file "${name}".`, {
        nextStep: 'None.',
        details: { file: name },
      });
    const source = new MemorySource(name, bytes);
    return {
      name,
      size: source.size,
      read: async (offset, length, signal) => {
        this.#answer('read');
        return source.read(offset, length, signal);
      },
    };
  }

  async remove(name: string): Promise<void> {
    this.#answer('remove');
    if (!this.files.delete(name)) throw new Error(`no file "${name}"`);
  }

  #write(name: string, chunk: Uint8Array): void {
    this.#answer();
    const never = Number.POSITIVE_INFINITY;
    const { writeFailsAt = never, cutsWriteAt = never, dropsByte = -1, flipsByte = -1 } = this.#fault;
    const start = this.#written;
    const cut = cutsWriteAt > start ? cutsWriteAt - start : never;
    const room = Math.min(chunk.byteLength, writeFailsAt - start, cut);
    const lost = dropsByte - start;
    const stored =
      lost >= 0 && lost < room ? [chunk.subarray(0, lost), chunk.subarray(lost + 1, room)] : [chunk.subarray(0, room)];
    const after = join(this.files.get(name) ?? new Uint8Array(), ...stored);
    const flipped = after.byteLength - room + (flipsByte - start);
    if (flipsByte >= start && flipsByte < start + room) after[flipped] = (after[flipped] ?? 0) ^ 1;
    this.files.set(name, after);
    const fails = start + chunk.byteLength > writeFailsAt;
    this.#written += fails ? room : chunk.byteLength;
    if (fails) this.#fail();
  }

  #fail(): never {
    this.#killed = this.#fault.kills === true;
    throw this.#fault.error ?? new Error('the disk failed');
  }

  #answer(call?: TargetCall): void {
    if (this.#killed) throw new Error('killed');
    if (call === undefined) return;
    const index = this.calls(call);
    this.#calls.set(call, index + 1);
    const { callFails } = this.#fault;
    if (callFails?.call === call && callFails.index === index) this.#fail();
  }
}
