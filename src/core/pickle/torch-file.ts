import type { ByteSource } from '../bytes/byte-source.ts';
import { PickleGlobal, type PickleValue } from './pickle-value.ts';
import { damagedTorchFile, unsupportedTorchFile } from './refusals.ts';
import { decodeNumbers } from './torch-numbers.ts';
import { DTYPE_BYTES, STORAGE_DTYPES, TensorStorage, TorchTensor } from './torch-tensor.ts';
import { unpickle } from './unpickle.ts';
import { ZipArchive } from './zip-archive.ts';

/** Bounds: real statistics need some hundred kilobytes of pickle and a few hundred numbers a tensor. */
const MOST_PICKLE_BYTES = 8 * 2 ** 20;
const MOST_ELEMENTS_READ = 2 ** 22;
const MOST_DIMENSIONS = 8;
const ZIP_START = 0x04034b50;

/** A file of torch.save: its containers, and its tensors unread. */
export interface TorchFile {
  readonly value: PickleValue;
  /** The tensor's numbers in row-major order, as doubles. @throws StudioError calibration/damaged-torch-file, unsupported-torch-file. */
  readTensor(tensor: TorchTensor): Promise<Float64Array<ArrayBuffer>>;
}

/**
 * Opens a file that torch.save wrote (the zip form of torch 1.6 and later) without running anything of it: dicts, lists,
 * tuples, numbers, texts and tensors are read, and any other name of Python is refused.
 *
 * @throws StudioError of family calibration: unsafe-pickle, unsupported-torch-file, damaged-torch-file; and source.
 */
export async function openTorchFile(source: ByteSource): Promise<TorchFile> {
  await checkForm(source);
  const archive = await ZipArchive.open(source);
  const pickles = archive.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1)
    throw unsupportedTorchFile(source.name, 'holds no data.pkl, so torch.save did not write it');
  const root = pickle.slice(0, -'data.pkl'.length);
  await checkByteOrder(source.name, archive, `${root}byteorder`);
  const size = archive.sizeOf(pickle) ?? 0;
  if (size > MOST_PICKLE_BYTES)
    throw unsupportedTorchFile(source.name, `has ${size} bytes in data.pkl, more than ${MOST_PICKLE_BYTES}`);
  const value = unpickle(await archive.read(pickle, 0, size), {
    file: source.name,
    globals: allowedGlobals(source.name),
    persistent: (id) => storageOf(source.name, id),
  });
  return { value, readTensor: (tensor) => readTensor(source.name, archive, root, tensor) };
}

async function checkForm(source: ByteSource): Promise<void> {
  if (source.size < 4) throw damagedTorchFile(source.name, `has ${source.size} bytes`);
  const start = await source.read(0, 4);
  if (new DataView(start.buffer).getUint32(0, true) === ZIP_START) return;
  if (start[0] === 0x80) {
    throw unsupportedTorchFile(
      source.name,
      'is a bare pickle or has the form of torch before 1.6; torch.save(torch.load(FILE), NEW) of a later torch rewrites it',
    );
  }
  throw unsupportedTorchFile(source.name, 'is no file of torch.save');
}

async function checkByteOrder(file: string, archive: ZipArchive, name: string): Promise<void> {
  const size = archive.sizeOf(name);
  if (size === undefined) return;
  const order = new TextDecoder().decode(await archive.read(name, 0, Math.min(size, 16)));
  if (order !== 'little') throw unsupportedTorchFile(file, 'was written on a machine of the other byte order');
}

/** torch's rebuilding functions, its storage types and OrderedDict; nothing else has a name here. */
function allowedGlobals(file: string): ReadonlyMap<string, PickleGlobal> {
  const globals = [
    new PickleGlobal('collections.OrderedDict', (args) => orderedDict(file, args)),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', (args) => rebuildTensor(file, args)),
    ...[...STORAGE_DTYPES.keys()].map((name) => new PickleGlobal(`torch.${name}`, null)),
  ];
  return new Map(globals.map((global) => [global.name, global]));
}

function orderedDict(file: string, args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw unsupportedTorchFile(file, 'makes an OrderedDict in a way that torch.save does not');
  return new Map();
}

/** A persistent id of torch.save: ("storage", type, key, where it lay, number of elements). */
function storageOf(file: string, id: PickleValue): TensorStorage {
  const [tag, type, key, , elements] = Array.isArray(id) ? id : [];
  const name = type instanceof PickleGlobal ? type.name.slice('torch.'.length) : '';
  const dtype = [...STORAGE_DTYPES].find(([storage]) => storage === name)?.[1];
  if (tag !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(elements)) {
    throw damagedTorchFile(file, 'refers to a storage in a way that torch.save does not');
  }
  return new TensorStorage(key, dtype, elements);
}

/** (storage, offset, shape, strides, …): the rest says how gradients are taken. */
function rebuildTensor(file: string, [storage, offset, shape, strides]: readonly PickleValue[]): TorchTensor {
  const counts = [shape, strides].map((value) => (Array.isArray(value) && value.every(isCount) ? value : null));
  const [sizes, steps] = counts;
  if (
    !(storage instanceof TensorStorage) ||
    !isCount(offset) ||
    sizes == null ||
    steps == null ||
    sizes.length !== steps.length
  ) {
    throw damagedTorchFile(file, 'describes a tensor in a way that torch.save does not');
  }
  if (sizes.length > MOST_DIMENSIONS) throw unsupportedTorchFile(file, `has a tensor of ${sizes.length} dimensions`);
  const last = sizes.reduce((sum, size, axis) => sum + (size - 1) * (steps[axis] ?? 0), offset);
  if (!sizes.includes(0) && !(last < storage.elements)) {
    throw damagedTorchFile(
      file,
      `has a tensor of shape [${sizes.join(', ')}] that reaches past its storage "${storage.key}"`,
    );
  }
  return new TorchTensor(storage, offset, sizes, steps);
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

async function readTensor(
  file: string,
  archive: ZipArchive,
  root: string,
  { storage, offset, shape, strides }: TorchTensor,
): Promise<Float64Array<ArrayBuffer>> {
  const count = shape.reduce((product, size) => product * size, 1);
  const span = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), 1);
  if (count > MOST_ELEMENTS_READ || span > MOST_ELEMENTS_READ) {
    throw unsupportedTorchFile(file, `has ${count} numbers in one tensor of statistics, spread over ${span}`);
  }
  if (count === 0) return new Float64Array(0);
  const width = DTYPE_BYTES[storage.dtype];
  const name = `${root}data/${storage.key}`;
  const numbers = decodeNumbers(await archive.read(name, offset * width, span * width), storage.dtype);
  const result = new Float64Array(count);
  const at = shape.map(() => 0);
  for (let index = 0; index < count; index++) {
    result[index] = numbers[at.reduce((sum, place, axis) => sum + place * (strides[axis] ?? 0), 0)] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = (at[axis] ?? 0) + 1;
      if ((at[axis] ?? 0) < (shape[axis] ?? 0)) break;
      at[axis] = 0;
    }
  }
  return result;
}
