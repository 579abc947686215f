import { decodeToFloat32 } from '../base/number-formats.ts';
import { DTYPE_BYTES, type TorchDtype } from './torch-tensor.ts';

/** Little-endian numbers of any dtype as doubles. A 64-bit whole number beyond 2^53 loses its last digits. */
export function decodeNumbers(bytes: Uint8Array<ArrayBuffer>, dtype: TorchDtype): Float64Array<ArrayBuffer> {
  if (dtype === 'F16' || dtype === 'BF16') return Float64Array.from(decodeToFloat32(bytes, dtype));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = READERS[dtype];
  const width = DTYPE_BYTES[dtype];
  return Float64Array.from({ length: bytes.byteLength / width }, (_, index) => read(view, index * width));
}

const READERS: Readonly<Record<Exclude<TorchDtype, 'F16' | 'BF16'>, (view: DataView, at: number) => number>> = {
  F64: (view, at) => view.getFloat64(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U8: (view, at) => view.getUint8(at),
  BOOL: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
};
