/**
 * What received data weighs. A receive buffer (SO_RCVBUF) bounds memory, a window bounds bytes: Linux reckons the one from the other by
 * what share of a packet's memory its payload was (scaling_ratio), with the memory of a packet as its TUN driver takes it from its
 * allocator. Before anything has come that is half.
 */
import type { TcpSegment } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';

/** Shares are counted in parts of this. */
export const WHOLE = 256;
/** Bytes of a page, of a packet's record, of what stands behind its data, and of the room kept before it. */
const PAGE = 4096;
const RECORD = 256;
const BEHIND = 320;
const BEFORE = 64;
/** Bytes of a packet's first page that hold data. */
const FIRST_PAGE = PAGE - BEFORE - BEHIND;
/** The least that a packet's data is given. */
const SMALLEST = 640;

/** Bytes that an IP packet of `length` bytes takes. */
export function truesize(length: number): number {
  if (BEFORE + length >= PAGE) return RECORD + PAGE + Math.ceil((length - FIRST_PAGE) / PAGE) * PAGE;
  return RECORD + dataRoom(length) + BEHIND;
}

/** Bytes before what stands behind the data of a packet that is not cut up into pages. */
function dataRoom(length: number): number {
  const needed = Math.ceil((BEFORE + length) / 64) * 64 + BEHIND;
  let room = SMALLEST;
  if (needed > SMALLEST) for (room = 1024; room < needed; ) room *= 2;
  return room - BEHIND;
}

/** Bytes that a segment's packet takes. @param networkHeader bytes before the TCP header */
export function segmentMemory({ payloadLength, headerLength }: TcpSegment, networkHeader: number): number {
  return truesize(networkHeader + headerLength + payloadLength);
}

/** The memory that unread and out of order data takes: a part of what is known of a receiver. A packet's is free when all of it was read. */
export class ReceiveMemory {
  /** Bytes of memory taken. */
  used: number;
  /** Of memory, how much is payload, in parts of WHOLE. */
  share = WHOLE >> 1;
  /** It has just changed: the window's edge may move by what that comes to. */
  shareMoved = false;
  /** Of the packets in the receive queue: bytes unread, and memory, by turns; those before `#first` are gone. */
  readonly #packets: number[] = [];
  #first = 0;
  /** Memory of what came out of order. */
  #strays = 0;
  /** Bytes that fit behind the last packet in the queue. */
  #tail = 0;
  /** Length and memory of the packet that was queued last: most are like the one before. */
  #length = 0;
  #size = 0;

  readonly #networkHeader: number;

  /** @param held bytes of data that were there before @param networkHeader bytes before the TCP header in each packet */
  constructor(held: number, networkHeader: number) {
    this.#networkHeader = networkHeader;
    this.used = 2 * held;
    if (held > 0) this.#packets.push(held, this.used);
  }

  /** A segment goes to the end of the receive queue; `count` bytes of it are new. */
  take(segment: TcpSegment, count: number): void {
    const last = this.#packets.length - 2;
    if (count <= this.#tail && last >= this.#first) {
      this.#tail -= count;
      this.#packets[last] = (this.#packets[last] as number) + count;
      return;
    }
    const length = this.#networkHeader + segment.headerLength + segment.payloadLength;
    if (length !== this.#length) {
      this.#length = length;
      this.#size = truesize(length);
    }
    const size = this.#size;
    this.used += size;
    this.#packets.push(count, size);
    this.#tail = BEFORE + length >= PAGE ? 0 : dataRoom(length) - BEFORE - length;
  }

  /** A segment is kept out of order. */
  takeStray(segment: TcpSegment): void {
    const size = segmentMemory(segment, this.#networkHeader);
    this.used += size;
    this.#strays += size;
  }

  /** `count` bytes that had come out of order are next; `left` are still waiting. */
  settle(count: number, left: number): void {
    const size = Math.floor((this.#strays * count) / Math.max(count + left, 1));
    this.#strays -= size;
    this.#tail = 0;
    if (count > 0) this.#packets.push(count, size);
    else this.used -= size;
  }

  /** The user has read so much. */
  give(count: number): void {
    const packets = this.#packets;
    let left = count;
    while (left > 0 && this.#first < packets.length) {
      const unread = packets[this.#first] as number;
      if (unread > left) {
        packets[this.#first] = unread - left;
        return;
      }
      left -= unread;
      this.used -= packets[this.#first + 1] as number;
      this.#first += 2;
    }
    if (this.#first === packets.length) {
      packets.length = 0;
      this.#first = 0;
    } else if (this.#first > 64) {
      packets.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** What came out of order is gone. */
  dropStrays(): void {
    this.used -= this.#strays;
    this.#strays = 0;
  }

  /** Packed: `queued` and `strayed` bytes lie in pages without gaps. */
  collapse(queued: number, strayed: number): void {
    const strays = Math.min(this.#strays, packed(strayed));
    const rest = Math.min(this.used - this.#strays, packed(queued));
    this.#packets.length = 0;
    this.#first = 0;
    this.#tail = 0;
    if (queued > 0) this.#packets.push(queued, rest);
    this.#strays = strays;
    this.used = strays + rest;
  }
}

/** Memory of so many bytes in pages without gaps. */
function packed(bytes: number): number {
  const rest = bytes % FIRST_PAGE;
  return ((bytes - rest) / FIRST_PAGE) * (PAGE + RECORD) + (rest > 0 ? truesize(rest) : 0);
}

/** The window that so many bytes of memory come to. */
export function windowFromSpace(connection: ControlBlock, space: number): number {
  const share = connection.receiveSpace?.memory.share ?? WHOLE >> 1;
  return Math.floor((space * share) / WHOLE);
}

/** The memory that a window needs. */
export function spaceFromWindow(connection: ControlBlock, window: number): number {
  const share = connection.receiveSpace?.memory.share ?? WHOLE >> 1;
  return Math.floor((window * WHOLE) / share);
}

/** The window that the whole buffer comes to, bytes. */
export function wholeWindow(connection: ControlBlock): number {
  return windowFromSpace(connection, connection.settings.rcvBuf);
}

/** The window that what is free of the buffer comes to, bytes; less than 0: there is more in it than its size. */
export function freeWindow(connection: ControlBlock): number {
  const { receiveSpace, receiveQueue, settings } = connection;
  return windowFromSpace(connection, settings.rcvBuf - (receiveSpace?.memory.used ?? 2 * receiveQueue.length));
}
