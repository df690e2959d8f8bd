/** What the test writes and reads in wire-peer.ts: segments for the device under test (DUT), segments of its, and how they are compared. */
import type { SegmentOptions } from './wire-segment.ts';
import type { AoSpec } from './wire-signature.ts';

/** A segment for the DUT. What is not said: everything in order so far is acknowledged, and `seq` goes on behind what was sent. */
export interface Injected {
  readonly seq?: number;
  readonly ack?: number;
  /** Letters of `FSRPAUECN`. Default: `A`. */
  readonly flags?: string;
  readonly data?: string | Uint8Array;
  /** So many bytes of no matter what. */
  readonly length?: number;
  readonly win?: number;
  /** The urgent pointer. */
  readonly urg?: number;
  /** The ECN field of the IP header: 1: ECT(1), 2: ECT(0), 3: CE. */
  readonly ecn?: number;
  /** When timestamps are in use they come by themselves; `ts: undefined` leaves them out. */
  readonly options?: { readonly [K in keyof SegmentOptions]?: SegmentOptions[K] | undefined };
  readonly badChecksum?: boolean;
  /** Another port of the peer's, for another connection. */
  readonly from?: number;
  /** Another port of the DUT's. */
  readonly to?: number;
  /** Signed with this key, when others (or none) are said to the fixture; undefined: not signed. */
  readonly md5?: string | undefined;
  readonly ao?: AoSpec | undefined;
  /** A bit of the signature is flipped. */
  readonly badSignature?: boolean;
  /** It is a super-segment of pieces of so many bytes. */
  readonly segmentSize?: number;
}

/** A segment of the DUT's. */
export interface Seen {
  readonly seq: number;
  readonly ack: number;
  readonly flags: string;
  readonly length: number;
  readonly data: string;
  readonly win: number;
  readonly urg: number;
  readonly ecn: number;
  readonly options: SegmentOptions;
  /** The DUT's port, and the peer's. */
  readonly from: number;
  readonly to: number;
  /** When it was sent, ms of the test's clock. */
  readonly at: number;
  /** The IP packet. */
  readonly bytes: Uint8Array;
}

/** Only what is named is compared; an option that is named and undefined must be absent. */
export type Expected = Partial<Omit<Seen, 'options' | 'bytes'>> & {
  readonly options?: { readonly [K in keyof SegmentOptions]?: SegmentOptions[K] | undefined };
};

/** Packets other than TCP. */
export interface SeenIcmp {
  readonly type: number;
  readonly code: number;
  /** What is behind the 8 bytes. */
  readonly body: Uint8Array;
}

export function isSegment(packet: Seen | SeenIcmp): packet is Seen {
  return 'seq' in packet;
}

/** Of a segment what an expectation names. */
export function pick(seen: Seen, expected: Expected): Record<string, unknown> {
  const { options, ...fields } = normal(expected);
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) out[name] = seen[name as keyof Seen];
  if (options !== undefined) {
    const named = Object.keys(options).map((name) => [name, seen.options[name as keyof SegmentOptions]]);
    out['options'] = Object.fromEntries(named);
  }
  return out;
}

/** Flags in the order that they are shown in. */
export function normal(expected: Expected): Expected {
  if (expected.flags === undefined) return expected;
  return { ...expected, flags: [...'FSRPAUECN'].filter((letter) => expected.flags?.includes(letter)).join('') };
}

export function same(a: unknown, b: unknown): boolean {
  return text(sorted(a)) === text(sorted(b));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}

export function text(value: unknown): string {
  return JSON.stringify(value, (_, each) => (each === undefined ? 'absent' : each));
}

export function brief(packet: Seen | SeenIcmp): unknown {
  if (!isSegment(packet)) return { icmp: packet.type, code: packet.code };
  const { seq, ack, flags, length, win } = packet;
  return { seq, ack, flags, length, win };
}

export function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? bytesOf(data) : data;
}

/** Text to bytes and back, one byte a character. */
export function bytesOf(data: string): Uint8Array {
  return Uint8Array.from(data, (letter) => letter.charCodeAt(0));
}

export function textOf(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 4096) out += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return out;
}

/** The heading and the end of a ladder: what went wrong is mostly there. */
export function lastLines(ladder: string, most = 40): string {
  const [heading, ...lines] = ladder.split('\n');
  return [heading, ...(lines.length > most ? ['...'] : []), ...lines.slice(-most)].join('\n');
}

/** `abc...zabc...`: so many bytes that tell where they belong. */
export function filler(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 97 + (i % 26));
}
