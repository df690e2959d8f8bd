/**
 * Packets as a ladder: time runs down, two hosts stand left and right, every packet is an arrow with its words on it.
 *
 * Numbers are told as a newcomer counts: sequence numbers from 0 at each side's SYN, timestamps from 0 at each side's first, windows in bytes
 * once the handshake told the scale. What each connection has shown so far is kept in ladder-connection.ts.
 */

import { FIN, RST, SYN } from '../wire/tcp.ts';
import { describePayload } from './describe.ts';
import { dissect } from './dissect.ts';
import { ConnectionTable, type Reading } from './ladder-connection.ts';

export interface LadderPacket {
  /** When, ms on any clock; the ladder shows the time since its first packet. */
  readonly at: number;
  /** The packet from its IP header on. */
  readonly bytes: Uint8Array;
  /** Seen from the host whose capture this is. */
  readonly direction: 'in' | 'out';
  /** Words to show under the arrow, such as `lost on the way`. */
  readonly note?: string;
  /** Payload bytes of each piece of a super-segment; default: it is a single segment. */
  readonly segmentSize?: number;
}

export interface LadderOptions {
  /** Who stands left and right, such as `kernel` and `tunstack`. */
  readonly left: string;
  readonly right: string;
  /** On which side the host stands whose `in` and `out` these are. Default: `left`, so that `out` points right. */
  readonly host?: 'left' | 'right';
  /** ANSI colours. Default: false. */
  readonly color?: boolean;
}

const WIDTH = 100;
/** The time column: 11 characters and a space. */
const TIME_WIDTH = 12;
/** Between the two lines that stand for the hosts. */
const LANE = WIDTH - TIME_WIDTH - 2;
/** What an arrow needs beside its words: head, two dashes behind it, one before the words' end, spaces around the words. */
const ARROW = 6;

const DIM = '\u001b[2m';
const RESET = '\u001b[0m';
const COLORS = { open: '\u001b[32m', close: '\u001b[33m', reset: '\u001b[31m', data: '\u001b[36m', plain: '' };
type Tone = keyof typeof COLORS;

/** A ladder that grows packet by packet, for a live view. */
export class Ladder {
  readonly #options: LadderOptions;
  readonly #connections = new ConnectionTable();
  #start: number | undefined;

  constructor(options: LadderOptions) {
    this.#options = options;
  }

  /** The lines for a packet, without line ends, at most 100 columns each; before the first packet's, the heading. Never throws. */
  add(packet: LadderPacket): string[] {
    const lines = this.#start === undefined ? this.#heading() : [];
    this.#start ??= packet.at;
    const toRight = (packet.direction === 'out') === ((this.#options.host ?? 'left') === 'left');
    const { words, notes, tone } = this.#read(packet);
    const [onArrow, ...below] = wrap(words, LANE - ARROW, '  ');
    // After three hours the column has no room for all digits: the last ones go.
    const time = (packet.at - this.#start)
      .toFixed(3)
      .slice(0, TIME_WIDTH - 1)
      .padStart(TIME_WIDTH - 1);
    lines.push(`${this.#paint(DIM, time)} │${this.#paint(COLORS[tone], arrow(onArrow ?? '', toRight))}│`);
    const more = [...below, ...notes.flatMap((note) => wrap(printable(note).split(' '), LANE - ARROW, ' '))];
    for (const text of more) lines.push(`${' '.repeat(TIME_WIDTH)}│${this.#paint(DIM, beside(text, toRight))}│`);
    return lines;
  }

  #read(packet: LadderPacket): { words: string[]; notes: string[]; tone: Tone } {
    const found = dissect(packet.bytes);
    const notes = packet.note === undefined ? [] : [packet.note];
    if (found.error !== undefined) notes.push(found.error);
    if (found.ip === undefined || found.tcp === undefined) {
      return { words: describePayload(found).split(', '), notes, tone: 'plain' };
    }
    const payload = found.payload ?? new Uint8Array(0);
    const reading = this.#connections.read(found.ip, found.tcp, payload.length, packet.segmentSize ?? 0);
    const text = textOf(payload);
    if (text !== undefined) notes.unshift(text);
    return { words: reading.words, notes: [...notes, ...reading.notes], tone: toneOf(reading) };
  }

  #heading(): string[] {
    const left = printable(this.#options.left).slice(0, LANE / 2);
    const right = printable(this.#options.right).slice(0, LANE / 2);
    const names = left + right.padStart(LANE + 2 - left.length);
    return [`${this.#paint(DIM, 'time (ms)'.padStart(TIME_WIDTH - 1))} ${names}`];
  }

  #paint(code: string, text: string): string {
    return this.#options.color === true && code !== '' ? `${code}${text}${RESET}` : text;
  }
}

/** The whole ladder as text, a line end after each line; no packets give an empty text. Never throws. */
export function formatLadder(packets: readonly LadderPacket[], options: LadderOptions): string {
  const ladder = new Ladder(options);
  return packets.flatMap((packet) => ladder.add(packet).map((line) => `${line}\n`)).join('');
}

function toneOf({ flags, length }: Reading): Tone {
  if ((flags & RST) !== 0) return 'reset';
  if ((flags & SYN) !== 0) return 'open';
  if ((flags & FIN) !== 0) return 'close';
  return length > 0 ? 'data' : 'plain';
}

/** Words stand near the side that speaks them. */
function arrow(text: string, toRight: boolean): string {
  const shaft = '─'.repeat(LANE - ARROW - text.length + 1);
  return toRight ? `── ${text} ${shaft}▶` : `◀${shaft} ${text} ──`;
}

function beside(text: string, toRight: boolean): string {
  return toRight ? `   ${text}`.padEnd(LANE) : `${text}   `.padStart(LANE);
}

/** Fills lines of at most `width` with words, at least one line; a word that is too long is cut. */
function wrap(words: readonly string[], width: number, space: string): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const fitting = word.length <= width ? word : `${word.slice(0, width - 1)}…`;
    const longer = `${lines.at(-1) ?? ''}${space}${fitting}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(fitting);
  }
  return lines;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\u024f…]/g, ' ');
}

const HTTP_LINE = /^([A-Z]+ \S+ HTTP\/\d\.\d|HTTP\/\d\.\d \d{3}.*)$/;
/** A payload of at most as many bytes is shown whole when it is text. */
const SHORT_TEXT = 60;

/** The first line of an HTTP message, or a short text, in quotes. */
function textOf(payload: Uint8Array): string | undefined {
  const head = String.fromCharCode(...payload.subarray(0, 200));
  const line = head.split(/\r?\n/, 1)[0] as string;
  if (line === '' || !/^[\x20-\x7e]+$/.test(line)) return undefined;
  const short = payload.length <= SHORT_TEXT && /^[\x20-\x7e]*[\r\n]*$/.test(head);
  if (!short && !HTTP_LINE.test(line)) return undefined;
  return `"${line.length > LANE - ARROW - 2 ? `${line.slice(0, LANE - ARROW - 3)}…` : line}"`;
}
