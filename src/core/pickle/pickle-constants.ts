import type { PickleBytes } from './pickle-bytes.ts';
import type { PickleValue } from './pickle-value.ts';

/** The value that an instruction with its operand stands for; undefined for an instruction that does something. */
export function readConstant(opcode: number, input: PickleBytes): PickleValue | undefined {
  switch (opcode) {
    case 0x4e: // NONE
      return null;
    case 0x88: // NEWTRUE
      return true;
    case 0x89: // NEWFALSE
      return false;
    case 0x4b: // BININT1
      return input.u8();
    case 0x4d: // BININT2
      return input.u16();
    case 0x4a: // BININT
      return input.i32();
    case 0x8a: // LONG1
      return input.long(input.u8());
    case 0x47: // BINFLOAT
      return input.f64();
    case 0x8c: // SHORT_BINUNICODE
      return input.text(input.u8());
    case 0x58: // BINUNICODE
      return input.text(input.u32());
    case 0x8d: // BINUNICODE8
      return input.text(input.u64());
    case 0x7d: // EMPTY_DICT
      return new Map();
    case 0x5d: // EMPTY_LIST
    case 0x29: // EMPTY_TUPLE
      return [];
    default:
      return undefined;
  }
}
