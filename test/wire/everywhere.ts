/** Runs a reader over the same bytes in three places; it must not see what lies around them. */
import { expect } from 'chai';

/**
 * The bytes fill a buffer (a read outside throws), then lie at an odd offset between guard bytes of two kinds (a read outside
 * changes the result). What `read` returns must not depend on the offset.
 */
export function everywhere<T>(bytes: Uint8Array, read: (view: DataView, offset: number) => T): T {
  const exact = read(new DataView(Uint8Array.from(bytes).buffer), 0);
  for (const guard of [0x00, 0xff]) {
    const room = new Uint8Array(bytes.length + 128).fill(guard);
    room.set(bytes, 61);
    expect(read(new DataView(room.buffer), 61), `between bytes of ${guard}`).to.deep.equal(exact);
  }
  return exact;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/\s+/g, ''), 'hex'));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
