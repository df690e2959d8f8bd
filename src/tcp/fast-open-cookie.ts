/**
 * Fast Open cookies, and the keys that they are made with. RFC 7413 4.1.2 leaves the MAC to the server; this is Linux's:
 * SipHash-2-4 of the client's address and the server's.
 */
import type { IpAddress } from '../wire/address.ts';
import { sipHash24 } from '../wire/siphash.ts';

/** RFC 7413 2: the length of a cookie, bytes, even. */
export const COOKIE_LEAST = 4;
export const COOKIE_MOST = 16;
/** Bytes of the cookies that we hand out. */
export const COOKIE_LENGTH = 8;
/** Bytes of a key. */
export const KEY_LENGTH = 16;

/** No cookie: asks for one. */
export const COOKIE_REQUEST: Uint8Array = new Uint8Array(0);

/** RFC 7413 4.1.2 (2): cookies of the backup key are honoured, those of the primary key are handed out. */
export interface FastOpenKeys {
  /** Four little-endian words. */
  readonly primary: Int32Array;
  readonly backup: Int32Array | undefined;
}

const WORDS = /^\s*([0-9a-f]{1,8})-([0-9a-f]{1,8})-([0-9a-f]{1,8})-([0-9a-f]{1,8})\s*$/i;

/** `a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4`, or two of them with a comma between. @returns undefined: it is neither */
export function keysFromText(text: string): FastOpenKeys | undefined {
  const keys = text.split(',').map((part) => {
    const words = WORDS.exec(part)?.slice(1);
    return words === undefined ? undefined : Int32Array.from(words, (word) => Number.parseInt(word, 16) | 0);
  });
  const [primary, backup] = keys;
  if (primary === undefined || keys.length > 2 || keys.includes(undefined)) return undefined;
  return { primary, backup };
}

/** TCP_FASTOPEN_KEY: 16 bytes, or 32 with the backup key behind. @returns undefined for another length */
export function keysFromBytes(bytes: Uint8Array): FastOpenKeys | undefined {
  if (bytes.length !== KEY_LENGTH && bytes.length !== 2 * KEY_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const key = (at: number) => Int32Array.from({ length: 4 }, (_, i) => view.getInt32(at + 4 * i, true));
  return { primary: key(0), backup: bytes.length > KEY_LENGTH ? key(KEY_LENGTH) : undefined };
}

export function keysToBytes({ primary, backup }: FastOpenKeys): Uint8Array {
  const words = [...primary, ...(backup ?? [])];
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setInt32(4 * i, word, true);
  return bytes;
}

const words = new Int32Array(8);
const hash = new Int32Array(2);

/** The cookie of a client, `COOKIE_LENGTH` bytes. */
export function cookieFor(key: Int32Array, client: IpAddress, server: IpAddress): Uint8Array {
  let count = 0;
  for (const address of [client, server]) {
    // The hash takes words as their little-endian bytes; addresses are in network order.
    if (address.family === 6) for (const word of addressWords(address)) words[count++] = swapped(word);
    else words[count++] = swapped(address.w3);
  }
  sipHash24(key, words, count, hash);
  const cookie = new Uint8Array(COOKIE_LENGTH);
  const view = new DataView(cookie.buffer);
  view.setInt32(0, hash[0] as number, true);
  view.setInt32(4, hash[1] as number, true);
  return cookie;
}

function addressWords({ w0, w1, w2, w3 }: IpAddress): number[] {
  return [w0, w1, w2, w3];
}

function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** Whether the bytes of the view are that cookie. Every byte is looked at, so that the time says nothing about them. */
export function isCookie(view: DataView, offset: number, length: number, cookie: Uint8Array): boolean {
  if (length !== cookie.length) return false;
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= view.getUint8(offset + i) ^ (cookie[i] as number);
  return difference === 0;
}
