import { PickleBytes } from './pickle-bytes.ts';
import { readConstant } from './pickle-constants.ts';
import { PickleGlobal, type PickleKey, type PickleValue } from './pickle-value.ts';
import { damagedTorchFile, unsafePickle, unsupportedTorchFile } from './refusals.ts';

/** What a pickle may use besides containers, numbers and texts. */
export interface PickleWorld {
  /** File name for refusals. */
  readonly file: string;
  /** "module.name" → what it stands for; any other name is refused as soon as it is read. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What a persistent id stands for. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

/** Values that stand on the stack, and that are remembered, at one time. */
const MOST_VALUES = 250_000;

/** Instructions that make an object of a class, or set its state. */
const OBJECT_MAKERS: ReadonlyMap<number, string> = new Map([
  [0x62, 'to set an object’s state'],
  [0x69, 'to make an object'],
  [0x6f, 'to make an object'],
  [0x81, 'to make an object'],
  [0x92, 'to make an object'],
  [0x82, 'for a registered extension'],
  [0x83, 'for a registered extension'],
  [0x84, 'for a registered extension'],
]);

/**
 * Runs the data half of the pickle machine: protocols 2 to 5, containers, numbers, texts, and the names that `world`
 * allows. No class is made, no function but those is called, and nothing here recurses: memory is bounded by the bytes.
 * Source of the instructions: CPython's pickletools.
 *
 * @throws StudioError calibration/unsafe-pickle naming what the file asks for; unsupported-torch-file for an instruction
 *   of another kind; damaged-torch-file where it ends too early or contradicts itself.
 */
export function unpickle(bytes: Uint8Array<ArrayBuffer>, world: PickleWorld): PickleValue {
  return new Machine(bytes, world).run();
}

class Machine {
  readonly #input: PickleBytes;
  readonly #world: PickleWorld;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at which a MARK lies. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array<ArrayBuffer>, world: PickleWorld) {
    this.#input = new PickleBytes(bytes, world.file);
    this.#world = world;
  }

  run(): PickleValue {
    for (;;) {
      const opcode = this.#input.u8();
      if (opcode === 0x2e) return this.#result();
      this.#step(opcode);
      if (this.#stack.length > MOST_VALUES || this.#memo.size > MOST_VALUES || this.#marks.length > MOST_VALUES) {
        throw unsupportedTorchFile(this.#world.file, `holds more than ${MOST_VALUES} values`);
      }
    }
  }

  #result(): PickleValue {
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#damaged('ends with values left over');
    return value;
  }

  #step(opcode: number): void {
    const constant = readConstant(opcode, this.#input);
    if (constant !== undefined) this.#push(constant);
    else if (!this.#arrange(opcode) && !this.#build(opcode)) throw this.#unknown(opcode);
  }

  /** Instructions about the stack and what is remembered; false for another. */
  #arrange(opcode: number): boolean {
    const input = this.#input;
    switch (opcode) {
      case 0x80: // PROTO
        this.#checkProtocol(input.u8());
        break;
      case 0x95: // FRAME
        input.skip(8);
        break;
      case 0x28: // MARK
        this.#marks.push(this.#stack.length);
        break;
      case 0x30: // POP
        this.#pop();
        break;
      case 0x31: // POP_MARK
        this.#popMarked();
        break;
      case 0x71: // BINPUT
        this.#remember(input.u8());
        break;
      case 0x72: // LONG_BINPUT
        this.#remember(input.u32());
        break;
      case 0x94: // MEMOIZE
        this.#remember(this.#memo.size);
        break;
      case 0x68: // BINGET
        this.#recall(input.u8());
        break;
      case 0x6a: // LONG_BINGET
        this.#recall(input.u32());
        break;
      default:
        return false;
    }
    return true;
  }

  /** Instructions that make or fill a value; false for another. */
  #build(opcode: number): boolean {
    const input = this.#input;
    switch (opcode) {
      case 0x74: // TUPLE
        this.#push(this.#popMarked());
        break;
      case 0x85: // TUPLE1 to TUPLE3
      case 0x86:
      case 0x87:
        this.#push(this.#popMany(opcode - 0x84));
        break;
      case 0x61: // APPEND
        this.#append(this.#popMany(1));
        break;
      case 0x65: // APPENDS
        this.#append(this.#popMarked());
        break;
      case 0x73: // SETITEM
        this.#setItems(this.#popMany(2));
        break;
      case 0x75: // SETITEMS
        this.#setItems(this.#popMarked());
        break;
      case 0x63: // GLOBAL
        this.#global(input.line(), input.line());
        break;
      case 0x93: // STACK_GLOBAL
        this.#stackGlobal();
        break;
      case 0x51: // BINPERSID
        this.#push(this.#world.persistent(this.#pop()));
        break;
      case 0x52: // REDUCE
        this.#reduce();
        break;
      default:
        return false;
    }
    return true;
  }

  #unknown(opcode: number) {
    const asked = OBJECT_MAKERS.get(opcode);
    if (asked !== undefined) return unsafePickle(this.#world.file, asked);
    const where = `at byte ${this.#input.at - 1}`;
    return unsupportedTorchFile(
      this.#world.file,
      `uses the pickle instruction 0x${opcode.toString(16).padStart(2, '0')} ${where}, which plain tensors do not need`,
    );
  }

  #checkProtocol(protocol: number): void {
    if (protocol >= 2 && protocol <= 5) return;
    throw unsupportedTorchFile(this.#world.file, `is pickled by protocol ${protocol}, not 2 to 5`);
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.#damaged('takes a value that is not there');
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - count < (this.#marks.at(-1) ?? 0)) throw this.#damaged('takes a value that is not there');
    return this.#stack.splice(this.#stack.length - count, count);
  }

  #popMarked(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#damaged('closes a container that it did not open');
    return this.#stack.splice(mark);
  }

  #top(): PickleValue | undefined {
    return this.#stack.at(-1);
  }

  #remember(index: number): void {
    const value = this.#top();
    if (value === undefined) throw this.#damaged('remembers a value that is not there');
    this.#memo.set(index, value);
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#damaged(`recalls value ${index}, which it never remembered`);
    this.#push(value);
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#damaged('appends to what is no list');
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 === 1) throw this.#damaged('sets an item of what is no dict');
    for (let at = 0; at < items.length; at += 2) dict.set(this.#key(items[at]), items[at + 1] ?? null);
  }

  #key(value: PickleValue | undefined): PickleKey {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
    throw unsupportedTorchFile(this.#world.file, 'has a dict with keys that are neither texts nor numbers');
  }

  #global(module: string, name: string): void {
    const known = this.#world.globals.get(`${module}.${name}`);
    if (known === undefined) throw unsafePickle(this.#world.file, `for ${readable(`${module}.${name}`)}`);
    this.#push(known);
  }

  #stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#damaged('names no name');
    this.#global(module, name);
  }

  #reduce(): void {
    const [callable, args] = this.#popMany(2);
    if (!(callable instanceof PickleGlobal) || callable.call === null || !Array.isArray(args)) {
      const name = callable instanceof PickleGlobal ? callable.name : 'what is no function';
      throw unsafePickle(this.#world.file, `to call ${name}`);
    }
    this.#push(callable.call(args));
  }

  #damaged(problem: string) {
    return damagedTorchFile(this.#world.file, `${problem} (byte ${this.#input.at} of data.pkl)`);
  }
}

/** A name from a hostile file, fit for a sentence. */
function readable(name: string): string {
  const plain = name.replace(/[^\w.<>-]/g, '?');
  return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
}
