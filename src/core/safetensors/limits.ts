/** Ceilings on what a checkpoint's files may claim. Each is far above what real checkpoints hold. */

/** Bytes of a header. The format's own ceiling (tensor.rs, MAX_HEADER_SIZE): it bounds what one file makes a reader hold. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Dimensions of a tensor. NumPy and PyTorch hold no more, and a header of empty dimensions would cost memory for nothing. */
export const MAX_DIMENSIONS = 64;

/** Bytes of a shard index. The largest on the hub, with half a million tensors, has some 60 MB. */
export const MAX_INDEX_BYTES = 250_000_000;

/** Shards that an index may name. The largest on the hub name some 200; each costs a request and an open file. */
export const MAX_SHARDS = 10_000;

/** Bytes of a shard's file name: what common file systems allow. */
export const MAX_FILE_NAME_BYTES = 255;

/** Rounds of percent-decoding that a shard name may need before it stands still. */
export const MAX_PERCENT_ROUNDS = 8;

/** Objects and arrays inside each other in a part of an index that the studio does not know. */
export const MAX_JSON_DEPTH = 32;

/** Values in all parts of an index that the studio does not know: writers put some counts and dates there. */
export const MAX_JSON_VALUES = 100_000;

/** Names in one object. Eight times the tensors of the largest checkpoint, and below what a Map can hold. */
export const MAX_KEYS = 4_000_000;

/** Bytes read first: the header's length, and what a web page or a Git LFS pointer shows itself by. Weights are not read on suspicion. */
export const FIRST_READ_BYTES = 64;

/** Characters of a name from a file that a message repeats. */
export const MAX_QUOTED_CHARACTERS = 120;
