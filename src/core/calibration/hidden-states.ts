/** Hidden states that were written out whole: [T, H] f32, rows in the run's order. */
export interface HiddenRows {
  /** `count` rows of `width` numbers from row `first` on. @throws StudioError family `calibration` code `bad-journal`. */
  read(first: number, count: number, width: number): Promise<Float32Array<ArrayBuffer>>;
}

/** Writes the hidden states that a layer begins with, rows in the run's order; nothing is there before `close` resolves. */
export interface HiddenWriter {
  append(rows: Float32Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  /** Gives up what was written so far; never throws. */
  abort(): Promise<void>;
}
