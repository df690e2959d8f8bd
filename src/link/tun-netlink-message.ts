/** One netlink request as it is written: a header of 16 bytes, a fixed part, attributes. */

/** Bytes of the longest request that is made here, with room to spare. */
const ROOM = 512;

export class NetlinkMessage {
  readonly #bytes = new Uint8Array(ROOM);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 16;

  constructor(type: number, flags: number) {
    this.#view.setUint16(4, type, true);
    this.#view.setUint16(6, flags, true);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#view.setUint8(this.#length++, value);
    return this;
  }

  /** A number in the machine's order. */
  u32(value: number): this {
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  zeros(count: number): this {
    this.#length += count;
    return this;
  }

  /** An attribute; the next one starts at a multiple of four. */
  bytes(type: number, value: Uint8Array): this {
    this.#view.setUint16(this.#length, 4 + value.length, true);
    this.#view.setUint16(this.#length + 2, type, true);
    this.#bytes.set(value, this.#length + 4);
    this.#length += 4 + ((value.length + 3) & ~3);
    return this;
  }

  /** An attribute that is one number in the machine's order. */
  word(type: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    return this.bytes(type, bytes);
  }

  /** An attribute that is text with a zero behind it. */
  text(type: number, value: string): this {
    return this.bytes(type, new TextEncoder().encode(`${value}\0`));
  }

  /** An attribute that holds one attribute of text. */
  nestedText(type: number, inner: number, value: string): this {
    const text = new TextEncoder().encode(`${value}\0`);
    const bytes = new Uint8Array(4 + text.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, bytes.length, true);
    view.setUint16(2, inner, true);
    bytes.set(text, 4);
    return this.bytes(type, bytes);
  }

  /** Writes length and sequence number; the first `length` bytes are the message. */
  finish(sequence: number): Uint8Array {
    this.#view.setUint32(0, this.#length, true);
    this.#view.setUint32(8, sequence, true);
    return this.#bytes;
  }
}
