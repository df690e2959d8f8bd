/**
 * Urgent data: RFC 9293 3.8.5, as RFC 6093 has it and Linux does: one byte, the last before the urgent pointer, is out of the stream unless
 * SO_OOBINLINE is set, and the reader stops before its place (the mark).
 */
import type { Chunk } from '../link/slab.ts';
import type { TcpSegment } from '../wire/tcp.ts';
import type { ControlBlock } from './control-block.ts';
import { copiedSeq } from './receive-space.ts';
import { after, before, distance } from './sequence.ts';
import { CLOSE_WAIT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2 } from './state.ts';

/** What is known of the urgent byte: announced, here, read. */
const ANNOUNCED = 0;
const HERE = 1;
const READ = 2;

/** Made when the peer first announces urgent data; forgotten when the reader has passed it. */
export class Urgent {
  /** Sequence number of the urgent byte: RCV.UP. */
  seq: number;
  state = ANNOUNCED;
  byte = 0;

  constructor(seq: number) {
    this.seq = seq;
  }

  /** It is here, or still to come. */
  get unread(): boolean {
    return this.state !== READ;
  }
}

/** Sixth, check the URG bit. RCV.UP <- max (RCV.UP, SEG.UP); the user is told [MUST-32], with a window of zero, too [MUST-66]. */
export function urgentArrives(connection: ControlBlock, segment: TcpSegment): void {
  if ((connection.state & (ESTABLISHED | FIN_WAIT_1 | FIN_WAIT_2 | CLOSE_WAIT)) === 0 || connection.finReceived) return;
  // RFC 6093 3: the pointer points behind the urgent data; RFC 1122 4.2.2.4, with tcp_stdurg: at the last byte of it.
  const back = segment.urgentPointer > 0 && !connection.context.config.tcp_stdurg ? 1 : 0;
  const seq = (segment.seq + segment.urgentPointer - back) | 0;
  const { urgent } = connection;
  // Old news: read, or passed already.
  if (after(copiedSeq(connection), seq) || before(seq, connection.rcvNxt)) return;
  if (urgent !== undefined && !after(seq, urgent.seq)) return;
  passReadByte(connection);
  connection.urgent = new Urgent(seq);
  connection.context.markReady(connection);
}

/** The byte that was read out of band before is no part of the stream: with another announced, the mark no longer passes over it. */
function passReadByte(connection: ControlBlock): void {
  const { urgent, settings, receiveQueue } = connection;
  if (urgent === undefined || settings.rare.oobInline) return;
  if (urgent.seq === copiedSeq(connection) && receiveQueue.length > 0) {
    connection.receiveSpace?.memory.give(1);
    receiveQueue.skip(1);
  }
}

/** The segment's text may bring the byte. */
export function takeUrgentByte(connection: ControlBlock, segment: TcpSegment, chunk: Chunk): void {
  const { urgent } = connection;
  if (urgent === undefined || urgent.state !== ANNOUNCED) return;
  const at = distance(segment.seq, urgent.seq);
  if (at < 0 || at >= segment.payloadLength) return;
  urgent.byte = chunk.bytes[segment.payloadOffset + at] as number;
  urgent.state = HERE;
  connection.context.markReady(connection);
}

/** recv(MSG_OOB). @returns the byte; -1: none that can be read so; -2: not yet here */
export function readUrgent(connection: ControlBlock, peek: boolean): number {
  const { urgent, settings } = connection;
  if (urgent === undefined || settings.rare.oobInline || urgent.state === READ) return -1;
  if (urgent.state === ANNOUNCED) return -2;
  if (!peek) urgent.state = READ;
  return urgent.byte;
}

/** Bytes before the mark; Infinity: it does not lie ahead. */
export function bytesToMark(connection: ControlBlock): number {
  const { urgent } = connection;
  if (urgent === undefined) return Infinity;
  const ahead = distance(copiedSeq(connection), urgent.seq);
  return ahead < 0 ? Infinity : ahead;
}

/** The reader stands at the mark (SIOCATMARK). RFC 9293 3.8.5 [MUST-32], RFC 6093 4. */
export function atMark(connection: ControlBlock): boolean {
  return bytesToMark(connection) === 0;
}

/** The reader has moved on: what lies behind it is forgotten. */
export function leaveMark(connection: ControlBlock): void {
  const { urgent } = connection;
  if (urgent !== undefined && after(copiedSeq(connection), urgent.seq)) connection.urgent = undefined;
}
