/** What message ports and web sockets have in common: whole packets as messages, shown to `linkFromDuplex` as the stream that it takes. */
import type { PacketDuplex } from '../link/duplex.ts';

type Listener = (value: never) => void;

/** A duplex of packets whose two ends are functions. */
export class PortDuplex implements PacketDuplex {
  readonly #listeners = new Map<string, Listener[]>();
  readonly #write: (packet: Uint8Array) => boolean;
  readonly #close: () => void;

  /**
   * @param write takes a packet, which is its own; false: wait for `emit('drain')` before the next
   * @param close nothing more will be asked of it
   */
  constructor(write: (packet: Uint8Array) => boolean, close: () => void) {
    this.#write = write;
    this.#close = close;
  }

  on(event: string, listener: Listener): this {
    const list = this.#listeners.get(event);
    if (list === undefined) this.#listeners.set(event, [listener]);
    else list.push(listener);
    return this;
  }

  emit(event: 'data' | 'error' | 'drain' | 'close', value?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }

  write(packet: Uint8Array): boolean {
    return this.#write(packet);
  }

  destroy(): void {
    this.#close();
  }
}

/** A message as a packet; undefined: it is none. */
export function packetOf(data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : undefined;
}
