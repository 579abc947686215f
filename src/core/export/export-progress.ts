export interface ExportProgress {
  readonly phase: 'writing' | 'verifying' | 'packing';
  /** The file that is being worked on. */
  readonly file: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}
