/** Remembers the last arguments (by identity) and what came of them. */
export function memoiseLatest<Arguments extends readonly unknown[], Value>(
  compute: (...args: Arguments) => Value,
): (...args: Arguments) => Value {
  let last: { readonly args: Arguments; readonly value: Value } | null = null;
  return (...args) => {
    if (last?.args.every((arg, index) => Object.is(arg, args[index]))) return last.value;
    const value = compute(...args);
    last = { args, value };
    return value;
  };
}
