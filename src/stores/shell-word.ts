const PLAIN = /^[\w@%+=:,./-]+$/;

/** A word as a POSIX shell takes it for one argument, whatever it holds. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
