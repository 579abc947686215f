// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|\s*$)/i;
const MAX_PATH_BYTES = 1024;
const MAX_NAME_BYTES = 255;

const utf8Length = (text: string): number => new TextEncoder().encode(text).byteLength;

function isSafePart(part: string): boolean {
  return (
    part !== '' &&
    !/^\.+$/.test(part) &&
    !FORBIDDEN.test(part) &&
    !RESERVED.test(part) &&
    !/^\s|[\s.]$/.test(part) &&
    utf8Length(part) <= MAX_NAME_BYTES
  );
}

/** True for a path of a repository that means the same file on every system and stays inside its folder. */
export function isSafePath(path: string): boolean {
  return path.isWellFormed() && utf8Length(path) <= MAX_PATH_BYTES && path.split('/').every(isSafePart);
}
