/** sha256 of the text's UTF-8 bytes, in 64 small hexadecimal digits. Works in the page, a worker and Node. */
export async function hashText(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
