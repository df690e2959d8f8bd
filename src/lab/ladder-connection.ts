/** What a ladder knows of each connection: where its numbers start, its window scales, how far each side has come. */
import { ACK, FIN, flagNames, RST, SYN, URG } from '../wire/tcp.ts';
import type { DissectedIp, DissectedTcp } from './dissect.ts';
import { optionText, type TcpOption } from './dissect-options.ts';

/** A segment in words. */
export interface Reading {
  /** What stands on the arrow, in pieces that are not broken over lines. */
  readonly words: string[];
  /** What is remarkable about it. */
  readonly notes: string[];
  readonly flags: number;
  /** Payload bytes. */
  readonly length: number;
}

/** One direction of a connection. Sequence numbers are int32; undefined until seen. */
class Side {
  /** What is shown as 0: the initial sequence number. */
  base: number | undefined;
  /** The next sequence number this side has not used yet. */
  next = 0;
  /** The window shift of its SYN; -1: the SYN had none. */
  shift: number | undefined;
  /** The first timestamp it sent. */
  firstTimestamp: number | undefined;
}

class Connection {
  readonly number: number;
  readonly sides: Map<string, Side>;
  /** The ladder has said which addresses the number stands for. */
  introduced = false;

  constructor(number: number, from: string, to: string) {
    this.number = number;
    this.sides = new Map([
      [from, new Side()],
      [to, new Side()],
    ]);
  }
}

export class ConnectionTable {
  readonly #connections = new Map<string, Connection>();
  #count = 0;

  /** Reads a segment and notes what it shows. `segmentSize` 0: not a super-segment. */
  read(ip: DissectedIp, tcp: DissectedTcp, length: number, segmentSize: number): Reading {
    const from = `${ip.source}:${tcp.sourcePort}`;
    const to = `${ip.destination}:${tcp.destinationPort}`;
    const connection = this.#find(from, to, tcp);
    // A connection of a host to itself on one port has one side only.
    const sender = connection.sides.get(from) as Side;
    const receiver = connection.sides.get(to) as Side;
    const started = sender.base !== undefined;
    anchor(sender, receiver, tcp);
    const words = [
      ...(this.#count > 1 ? [`[${connection.number}]`] : []),
      flagNames(tcp.flags),
      ...sequenceWords(sender, tcp, length, segmentSize),
      ...((tcp.flags & ACK) !== 0 ? [`ack ${relative(tcp.ack, receiver.base)}`] : []),
      ...windowWords(sender, receiver, tcp),
      ...((tcp.flags & URG) !== 0 ? [`urg ${tcp.urgentPointer}`] : []),
      ...optionWords(sender, receiver, tcp),
    ];
    const notes = progress(sender, tcp, length, started);
    if (this.#count > 1 && !connection.introduced) notes.unshift(`[${connection.number}] ${from} > ${to}`);
    connection.introduced ||= this.#count > 1;
    return { words, notes, flags: tcp.flags, length };
  }

  #find(from: string, to: string, tcp: DissectedTcp): Connection {
    const key = from < to ? `${from} ${to}` : `${to} ${from}`;
    const known = this.#connections.get(key);
    // A SYN that begins elsewhere than the one before opens a new connection between the same ports.
    const base = known?.sides.get(from)?.base;
    const reopened = (tcp.flags & (SYN | ACK)) === SYN && base !== undefined && base !== (tcp.seq | 0);
    if (known !== undefined && !reopened) return known;
    const connection = new Connection(++this.#count, from, to);
    this.#connections.set(key, connection);
    return connection;
  }
}

/** Sets where a side's numbers start, and what its SYN says. */
function anchor(sender: Side, receiver: Side, tcp: DissectedTcp): void {
  const syn = (tcp.flags & SYN) !== 0;
  if (sender.base === undefined) {
    // Without the SYN the first segment seen begins at 1, as if it followed one; a reset that comes first follows nothing.
    sender.base = syn || (tcp.flags & RST) !== 0 ? tcp.seq | 0 : (tcp.seq - 1) | 0;
    sender.next = tcp.seq | 0;
  }
  if (receiver.base === undefined && (tcp.flags & ACK) !== 0) {
    receiver.base = (tcp.ack - 1) | 0;
    receiver.next = tcp.ack | 0;
  }
  const timestamps = find(tcp.options, 'timestamps');
  if (timestamps !== undefined) sender.firstTimestamp ??= timestamps.tsVal;
  // RFC 7323 2.3: a shift above 14 is used as 14.
  if (syn) sender.shift = Math.min(find(tcp.options, 'wscale')?.shift ?? -1, 14);
}

function sequenceWords(sender: Side, tcp: DissectedTcp, length: number, segmentSize: number): string[] {
  const start = relative(tcp.seq, sender.base);
  if (length === 0) return [`seq ${start}`];
  const words = [`seq ${start}:${relative(tcp.seq + length, sender.base)}`, `len ${length}`];
  if (segmentSize > 0 && length > segmentSize) {
    const rest = length % segmentSize;
    words.push(`(${Math.floor(length / segmentSize)} x ${segmentSize}${rest === 0 ? '' : ` + ${rest}`})`);
  }
  return words;
}

function windowWords(sender: Side, receiver: Side, tcp: DissectedTcp): string[] {
  // The window of a reset means nothing.
  if ((tcp.flags & RST) !== 0) return [];
  // RFC 7323 2.2: the window of a SYN is never scaled, and none is unless both SYNs had the option.
  if ((tcp.flags & SYN) !== 0) return [`win ${tcp.window}`];
  if (sender.shift === undefined || receiver.shift === undefined) return [`win ${tcp.window} (scale unknown)`];
  const scaled = sender.shift >= 0 && receiver.shift >= 0;
  return [`win ${scaled ? tcp.window * 2 ** sender.shift : tcp.window}`];
}

function optionWords(sender: Side, receiver: Side, tcp: DissectedTcp): string[] {
  const words: string[] = [];
  for (const option of tcp.options) {
    if (option.name === 'nop' || option.name === 'end') continue;
    if (option.name === 'timestamps') {
      const echo = option.tsEcr === 0 && receiver.firstTimestamp === undefined ? 0 : option.tsEcr;
      words.push(`TS ${signed(option.tsVal, sender.firstTimestamp)}/${signed(echo, receiver.firstTimestamp)}`);
    } else if (option.name === 'sack') {
      words.push(...option.blocks.map(({ left, right }) => sackWord(left, right, receiver.base)));
    } else {
      words.push(optionText(option));
    }
  }
  return words;
}

function sackWord(left: number, right: number, base: number | undefined): string {
  return `sack ${relative(left, base)}:${relative(right, base)}`;
}

/** What a segment shows that a reader would look for, and how far its side is after it. */
function progress(sender: Side, tcp: DissectedTcp, length: number, started: boolean): string[] {
  const notes: string[] = [];
  const takes = length + ((tcp.flags & SYN) !== 0 ? 1 : 0) + ((tcp.flags & FIN) !== 0 ? 1 : 0);
  const end = (tcp.seq + takes) | 0;
  const ahead = (tcp.seq - sender.next) | 0;
  if (started && ahead > 0 && takes > 0) notes.push(`${ahead} missing before this`);
  else if (started && takes > 0 && ((end - sender.next) | 0) <= 0) notes.push('sent again, or late');
  else if (started && ahead === -1 && takes === 0 && (tcp.flags & RST) === 0) notes.push('keep-alive probe');
  if (tcp.window === 0 && (tcp.flags & RST) === 0) notes.push('window closed');
  if (((end - sender.next) | 0) > 0) sender.next = end;
  return notes;
}

/** A sequence number counted from the side's first, modulo 2^32; as it is when nothing of that side was seen. */
function relative(seq: number, base: number | undefined): number {
  return (seq - (base ?? 0)) >>> 0;
}

function signed(value: number, first: number | undefined): number {
  return first === undefined ? value : (value - first) | 0;
}

function find<N extends TcpOption['name']>(
  options: readonly TcpOption[],
  name: N,
): Extract<TcpOption, { name: N }> | undefined {
  return options.find((option): option is Extract<TcpOption, { name: N }> => option.name === name);
}
