/**
 * One stack, the device under test (DUT), with the test as its peer: every segment that the peer sends is written by hand, every
 * segment that the DUT sends is read by hand. Time is virtual, nothing is offloaded (unless asked for), nothing is random.
 *
 *     const t = await established();                       // passive: the peer connected; `active: true`: the DUT did
 *     t.inject({ seq: 1, ack: 1, flags: 'PA', data: 'ping' });
 *     expect(t.read()).to.equal('ping');
 *     t.write('pong');
 *     t.expect({ seq: 1, ack: 5, flags: 'PA', data: 'pong' });
 *     await t.advance(200);
 *     t.expect({ seq: 1, data: 'pong' });                  // not acknowledged: sent again
 *     t.expectNothing();
 *
 * As in packetdrill, numbers are relative: a SYN is 0, the first byte of data 1, in both directions; SACK blocks count in the
 * numbers of the data they speak of. TSval and TSecr of the DUT's clock read as milliseconds of the test's clock (`t.now`), those
 * of the peer as they stand. Windows are the bare field. Every segment of the DUT is checked for its checksums, lengths and
 * options' layout as it leaves. When an expectation fails, or the test does, the ladder of all packets is printed.
 */
import { AssertionError } from 'chai';
import { formatLadder, type LadderPacket } from '../../src/lab/ladder.ts';
import type { LinkReceiver } from '../../src/link/link.ts';
import { Packet } from '../../src/link/packet.ts';
import { joinHostPort } from '../../src/net/host-port.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { Socket } from '../../src/socket/socket.ts';
import { type Counters, Stack } from '../../src/stack/stack.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import { seededRandom } from '../../src/time/random.ts';
import type { TraceSink } from '../../src/trace/events.ts';
import type { IpAddress } from '../../src/wire/address.ts';
import { update16 } from '../../src/wire/checksum.ts';
import { domainOf, FAMILY, type Family, inFamily, toIpv4, toIpv6 } from './wire-family.ts';
import { WireClock, WireLink } from './wire-link.ts';
import {
  brief,
  bytesOf,
  type Expected,
  filler,
  type Injected,
  isSegment,
  lastLines,
  normal,
  pick,
  type Seen,
  type SeenIcmp,
  same,
  text,
  textOf,
  toBytes,
} from './wire-seen.ts';
import {
  buildIcmp,
  buildSegment,
  icmpChecksumOk,
  readIp,
  readSegment,
  type SegmentOptions,
  type WireSegment,
} from './wire-segment.ts';
import { type AoSpec, digestOf, type Signature } from './wire-signature.ts';

export { bytesOf, type Expected, filler, type Injected, type Seen, type SeenIcmp, textOf } from './wire-seen.ts';
export type { SegmentOptions } from './wire-segment.ts';
export type { AoSpec } from './wire-signature.ts';

/** The congestion control unless a test asks for another: one whose windows one can work out by heart. */
const RENO = { tcp_congestion_control: 'reno' };

/** In the family that tests are played with: the end of each is 10.0.0.1 and 10.0.0.2. */
export const DUT: IpAddress = inFamily('10.0.0.1');
export const PEER: IpAddress = inFamily('10.0.0.2');
/** The DUT's port when it listens, and the peer's when the DUT connects. */
export const SERVICE = 80;
/** The port of whoever connects. */
export const CLIENT = 40_000;

/** Buffers that no test fills by accident: a window of 4 MiB. */
export const ROOMY: Partial<TcpConfig> = {
  tcp_rmem: [4096, 8_388_608, 33_554_432],
  tcp_wmem: [4096, 4_194_304, 33_554_432],
};

export interface PeerOptions {
  /** The DUT connects (default: the peer does). */
  readonly active?: boolean;
  /** What the peer's SYN (or SYN,ACK) carries. Default: an MSS of 1460 and nothing else. */
  readonly options?: SegmentOptions;
  /** The window field of what the peer sends unless it says another. Default: 65535. */
  readonly win?: number;
  /** Beside them buffers are roomy (`ROOMY`), so that they are in nobody's way. */
  readonly sysctl?: Partial<TcpConfig>;
  /** Bytes, as IPv4 counts them. Default: 1500. */
  readonly mtu?: number;
  /** What addresses and sockets are. Default: IPv4, or what TUNSTACK_FAMILY says (wire-family.ts). */
  readonly family?: Family;
  /** The link takes super-segments and partial checksums; `expect` then sees super-segments. Default: false. */
  readonly offload?: boolean;
  /** The peer's initial sequence number. Default: 4096 bytes before an int32 turns negative. */
  readonly isn?: number;
  /** Backlog of the listener. Default: 16. */
  readonly backlog?: number;
  /** Socket options to set before connect or listen. */
  readonly setup?: (socket: Socket) => void;
  /** What the DUT's randomness comes from. Default: 1. */
  readonly seed?: number | string;
  readonly trace?: TraceSink;
  /** The DUT knows neither TCP-MD5 nor TCP-AO. */
  readonly withoutHasher?: boolean;
  /** The peer signs all that it sends, and all that the DUT sends must be signed: with this key of TCP-MD5, */
  readonly md5?: string;
  /** or with one of these of TCP-AO, at first the first. */
  readonly ao?: readonly AoSpec[];
}

/** What the test knows of the connection with one port of the peer's. */
interface Flow {
  peerIsn: number;
  dutIsn: number;
  /** Absolute: behind all that either side has sent. */
  peerNext: number;
  dutNext: number;
  /** TSval of the DUT minus milliseconds; undefined: none seen. */
  dutStamp: number | undefined;
  lastStamp: number;
  /** Likewise of the peer; undefined: the peer's SYN had none. */
  peerStamp: number | undefined;
}

export class WirePeer {
  readonly clock: WireClock = new WireClock({ start: 1000 });
  readonly stack: Stack;
  readonly link: WireLink;
  listener: Socket | undefined;
  readonly family: Family;
  /** Their addresses: DUT and PEER unless the test says `family`. */
  readonly dut: IpAddress;
  readonly peer: IpAddress;
  /** What the peer signs with, and expects. */
  md5: string | undefined;
  /** The key that the peer signs with, and the one that it asks the DUT to use. */
  ao: AoSpec | undefined;
  aoWanted: AoSpec | undefined;
  /** The port that the DUT has, and the peer, in `inject` and `state` unless another is named. */
  dutPort: number = SERVICE;
  peerPort: number = CLIENT;
  /** Expectations of the DUT's segments that have not been made yet. */
  readonly #queue: (Seen | SeenIcmp)[] = [];
  readonly #packets: LadderPacket[] = [];
  readonly #flows = new Map<number, Flow>();
  readonly #options: PeerOptions;
  readonly #sockets: Socket[] = [];
  #socket: Socket | undefined;

  constructor(options: PeerOptions = {}) {
    this.#options = options;
    const { mtu = 1500, offload = false, seed = 1, trace } = options;
    const hasher = options.withoutHasher === true ? undefined : nodeHasher;
    const settings = { ...RENO, ...ROOMY, ...options.sysctl };
    this.stack = new Stack({ clock: this.clock, random: seededRandom(seed), sysctl: settings, trace, hasher });
    this.md5 = options.md5;
    this.ao = options.ao?.[0];
    this.aoWanted = this.ao;
    this.family = options.family ?? FAMILY;
    [this.dut, this.peer] = [inFamily('10.0.0.1', this.family), inFamily('10.0.0.2', this.family)];
    const isIpv6 = this.family === '6';
    this.link = new WireLink(mtu + (isIpv6 ? 20 : 0), offload, (bytes, partial, size) =>
      this.#left(bytes, partial, size),
    );
    this.stack.addInterface(this.link, { addresses: [{ address: this.dut, bits: isIpv6 ? 120 : 24 }] });
    inUse.push(this);
  }

  /** The connected (or connecting) socket of the DUT. */
  get socket(): Socket {
    if (this.#socket === undefined) throw new Error('there is no connected socket yet: accept() first');
    return this.#socket;
  }

  /** Time, ms; a test starts at 1000. */
  get now(): number {
    return this.clock.now();
  }

  get counters(): Counters {
    return this.stack.counters;
  }

  /** A socket of the DUT's, which is closed after the test. */
  newSocket(): Socket {
    const socket = createSocket(this.stack, domainOf(this.family), 1, 0) as Socket;
    this.#sockets.push(socket);
    return socket;
  }

  /** The DUT listens on SERVICE. */
  listen(): Socket {
    const socket = this.newSocket();
    this.#options.setup?.(socket);
    must(socket.bind({ address: this.dut, port: SERVICE }), 'bind');
    must(socket.listen(this.#options.backlog ?? 16), 'listen');
    this.listener = socket;
    return socket;
  }

  /** The DUT calls connect, from CLIENT to the peer's SERVICE; its SYN is the next to be expected. */
  connect(): Socket {
    const socket = this.newSocket();
    this.#socket = socket;
    this.#options.setup?.(socket);
    [this.dutPort, this.peerPort] = [CLIENT, SERVICE];
    must(socket.bind({ address: this.dut, port: CLIENT }), 'bind');
    const result = socket.connect({ address: this.peer, port: SERVICE });
    if (result !== -115) throw new Error(`connect: ${result}`);
    return socket;
  }

  /** The DUT accepts: the result is `socket` from now on. */
  accept(): Socket {
    const socket = this.listener?.accept();
    if (!(socket instanceof Socket)) throw this.#failure(`accept() gave ${socket}`, undefined, undefined);
    this.#sockets.push(socket);
    this.#socket = socket;
    return socket;
  }

  /** The peer's side of a handshake that it starts, from `port`; the DUT does not accept yet. @returns the SYN,ACK */
  handshake(port: number = this.peerPort): Seen {
    this.inject({ seq: 0, flags: 'S', options: this.synOptions, from: port });
    const answer = this.expect({ seq: 0, ack: 1, flags: 'SA', to: port });
    this.inject({ seq: 1, ack: 1, from: port });
    return answer;
  }

  /** What a SYN of the peer's carries. */
  get synOptions(): SegmentOptions {
    return this.#options.options ?? { mss: 1460 };
  }

  /** The peer sends a segment. */
  inject(segment: Injected = {}): void {
    this.injectAll([segment]);
  }

  /** The peer's segments come in one batch. */
  injectAll(segments: readonly Injected[]): void {
    this.flush();
    const packets = segments.map((segment) => {
      const bytes = this.#build(segment);
      return this.#packet(bytes, segment.segmentSize ?? 0, segment.badChecksum === true ? 'wrong checksum' : undefined);
    });
    this.#deliver(packets);
  }

  /** Any bytes come from the link. */
  injectBytes(bytes: Uint8Array): void {
    this.flush();
    this.#deliver([this.#packet(bytes, 0, undefined)]);
  }

  /** An ICMP message comes from the peer; an error quotes a packet of the DUT's, from its IP header on. */
  injectIcmp(message: { type: number; code?: number; rest?: number; body: Uint8Array }): void {
    this.injectBytes(
      buildIcmp(this.peer.w3, this.dut.w3, message.type, message.code ?? 0, message.rest ?? 0, message.body),
    );
  }

  /** The next segment of the DUT is as said. @returns all of it */
  expect(expected: Expected = {}): Seen {
    this.flush();
    const next = this.#queue.shift();
    if (next === undefined) throw this.#failure('the DUT sent nothing', undefined, expected);
    if (!isSegment(next)) throw this.#failure('the DUT sent ICMP', { ...next, body: '' }, expected);
    const actual = pick(next, expected);
    if (!same(actual, normal(expected))) throw this.#failure('the DUT sent another segment', actual, normal(expected));
    return next;
  }

  /** The next packet of the DUT is ICMP. */
  expectIcmp(expected: { type: number; code: number }): SeenIcmp {
    this.flush();
    const next = this.#queue.shift();
    if (next === undefined || isSegment(next)) throw this.#failure('the DUT sent no ICMP message', next, expected);
    const { type, code } = next;
    if (type !== expected.type || code !== expected.code)
      throw this.#failure('another message', { type, code }, expected);
    return next;
  }

  /** The DUT has sent nothing but what was expected before. */
  expectNothing(): void {
    this.flush();
    const [next] = this.#queue;
    if (next !== undefined)
      throw this.#failure(`the DUT sent ${this.#queue.length} packet(s) too many`, brief(next), 'nothing');
  }

  /** Takes all that the DUT has sent. */
  drain(): Seen[] {
    this.flush();
    return this.#queue.splice(0).filter(isSegment);
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    this.flush();
    await this.clock.advance(ms);
    this.flush();
  }

  /** What users did goes out; `expect` and `inject` do this by themselves. */
  flush(): void {
    this.clock.flush();
    const [first] = broken.splice(0);
    if (first !== undefined) throw first;
  }

  /** The state's name, as the RFC prints it, of the connection with the peer's port. */
  state(port: number = this.peerPort): string {
    this.flush();
    const sockets = this.stack.sockets();
    const remoteIs = joinHostPort(String(this.peer), String(port));
    const found = sockets.find(({ remote }) => remote === remoteIs);
    if (found !== undefined) return found.state;
    return this.#socket === undefined && this.listener?.listening === true ? 'LISTEN' : 'CLOSED';
  }

  /** send() of a text, or of so many bytes. @returns what send gave */
  write(what: string | number, flags = 0): number {
    return this.socket.send(typeof what === 'number' ? filler(what) : bytesOf(what), flags);
  }

  /** recv() of all that is there, at most `most` bytes. @returns it as a text, or what recv gave when that was nothing */
  read(most = 1 << 20): string | number {
    const into = new Uint8Array(most);
    const got = this.socket.recv(into);
    return got > 0 ? textOf(into.subarray(0, got)) : got;
  }

  /** From now on the peer's numbers start here: for another incarnation of the connection. */
  setPeerIsn(isn: number, port: number = this.peerPort): void {
    const flow = this.#flow(port);
    flow.peerIsn = isn | 0;
    flow.peerNext = isn | 0;
  }

  /** The DUT's initial sequence number, absolute. */
  dutIsn(port: number = this.peerPort): number {
    return this.#flow(port).dutIsn;
  }

  /** All packets so far, for people. */
  ladder(): string {
    return formatLadder(this.#packets, { left: 'DUT', right: 'peer', host: 'left' });
  }

  /** Closes the DUT's sockets and the DUT. @returns chunks and timers that somebody still holds: a leak, unless 0 */
  close(): number {
    this.flush();
    for (const socket of this.#sockets) socket.close();
    this.stack.close();
    this.flush();
    const at = inUse.indexOf(this);
    if (at >= 0) inUse.splice(at, 1);
    const { tcp, slab } = this.stack;
    return slab.live + tcp.timers.size + tcp.idleTimers.size;
  }

  #flow(port: number): Flow {
    let flow = this.#flows.get(port);
    if (flow === undefined) {
      const peerIsn = (this.#options.isn ?? 0x7ffff000) | 0;
      flow = {
        peerIsn,
        dutIsn: 0,
        peerNext: peerIsn,
        dutNext: 0,
        dutStamp: undefined,
        lastStamp: 0,
        peerStamp: undefined,
      };
      this.#flows.set(port, flow);
    }
    return flow;
  }

  #build(segment: Injected): Uint8Array {
    const { flags = 'A', from = this.peerPort, to = this.dutPort } = segment;
    const flow = this.#flow(from);
    const data = segment.data === undefined ? filler(segment.length ?? 0) : toBytes(segment.data);
    const seq = segment.seq === undefined ? flow.peerNext : (flow.peerIsn + segment.seq) | 0;
    const hasAck = flags.includes('A');
    const ack = segment.ack === undefined ? (hasAck ? flow.dutNext : 0) : (flow.dutIsn + segment.ack) | 0;
    const end = (seq + data.length + (flags.includes('S') ? 1 : 0) + (flags.includes('F') ? 1 : 0)) | 0;
    if (((end - flow.peerNext) | 0) > 0 && !flags.includes('R')) flow.peerNext = end;
    const wire: WireSegment = {
      source: this.peer.w3,
      destination: this.dut.w3,
      sourcePort: from,
      destinationPort: to,
      seq,
      ack,
      flags,
      win: segment.win ?? this.#options.win ?? 65_535,
      urg: segment.urg ?? 0,
      ecn: segment.ecn ?? 0,
      data,
      options: this.#peerOptions(flow, segment, flags),
    };
    wire.signature = this.#signature(flow, segment, wire);
    const bytes = buildSegment(wire, segment.badChecksum);
    return segment.badSignature === true ? spoilSignature(bytes) : bytes;
  }

  #signature(flow: Flow, segment: Injected, { flags, seq }: WireSegment): Signature | undefined {
    const md5 = 'md5' in segment ? segment.md5 : this.md5;
    if (md5 !== undefined) return { md5, family: this.family };
    const ao = 'ao' in segment ? segment.ao : this.ao;
    if (ao === undefined) return undefined;
    const isns = flags.includes('S')
      ? ([seq, flags.includes('A') ? flow.dutIsn : 0] as const)
      : ([flow.peerIsn, flow.dutIsn] as const);
    const rnextKeyId = (this.aoWanted ?? ao).sndid;
    return { ao, keyId: ao.rcvid, rnextKeyId, isns, sne: turns(flow.peerIsn, seq), family: this.family };
  }

  /** @throws Error when a segment of the DUT's is not signed as it should be */
  #checkSignature(flow: Flow, bytes: Uint8Array, { flags, seq, options }: WireSegment): void {
    if (this.md5 !== undefined) {
      if (options.md5 !== digestOf(bytes, { md5: this.md5, family: this.family }))
        throw new Error('it is not signed with the MD5 key');
    }
    const { ao } = options;
    if (this.#options.ao === undefined || this.ao === undefined) return;
    const key = this.#options.ao.find(({ sndid }) => sndid === ao?.keyId);
    if (ao === undefined || key === undefined) throw new Error('it has no AO option, or one with an unknown KeyID');
    const isns = [flow.dutIsn, flags.includes('S') && !flags.includes('A') ? 0 : flow.peerIsn] as const;
    const sne = turns(flow.dutIsn, seq);
    const right = digestOf(bytes, {
      ao: key,
      keyId: ao.keyId,
      rnextKeyId: ao.rnextKeyId,
      isns,
      sne,
      family: this.family,
    });
    if (ao.mac !== right) throw new Error(`its MAC is ${ao.mac}, not ${right}`);
  }

  #peerOptions(flow: Flow, segment: Injected, flags: string): SegmentOptions {
    const options = { ...segment.options };
    if (options.sack !== undefined)
      options.sack = options.sack.map(([l, r]) => [(l + flow.dutIsn) | 0, (r + flow.dutIsn) | 0]);
    const stamped = flow.peerStamp !== undefined && flow.dutStamp !== undefined && !flags.includes('S');
    if (options.ts !== undefined) {
      const [val, ecr] = options.ts;
      if (flags.includes('S')) flow.peerStamp = (val - Math.floor(this.now)) | 0;
      const echoed =
        flags.includes('S') && ecr === 0 && flags.includes('A') ? flow.lastStamp : this.#absoluteStamp(flow, ecr);
      options.ts = [val, echoed];
    } else if (stamped && !('ts' in options) && !flags.includes('R')) {
      options.ts = [((flow.peerStamp as number) + Math.floor(this.now)) | 0, flow.lastStamp];
    }
    return options as SegmentOptions;
  }

  #absoluteStamp(flow: Flow, ecr: number): number {
    return ecr === 0 ? 0 : (ecr + (flow.dutStamp ?? 0)) | 0;
  }

  #packet(bytes: Uint8Array, segmentSize: number, note: string | undefined): Packet {
    const receiver = this.link.receiver as LinkReceiver;
    const packet = new Packet(receiver.slab.take(), 64);
    const isIpv6 = this.family === '6';
    bytes = isIpv6 ? toIpv6(bytes) : bytes;
    packet.chunk.bytes.set(bytes, packet.offset);
    packet.length = bytes.length;
    packet.segmentSize = segmentSize;
    packet.transportOffset = segmentSize === 0 ? 0 : isIpv6 ? 40 : 20;
    packet.checksumOffset = segmentSize > 0 ? 16 : 0;
    const noted = note === undefined ? {} : { note };
    this.#packets.push({ at: this.now, bytes, direction: 'in', segmentSize, ...noted });
    return packet;
  }

  #deliver(packets: Packet[]): void {
    (this.link.receiver as LinkReceiver).receive({ packets, length: packets.length });
    for (const packet of packets) packet.chunk.release();
    this.flush();
  }

  /** The DUT has sent a packet. */
  #left(bytes: Uint8Array, partial: boolean, segmentSize: number): void {
    this.#packets.push({ at: this.now, bytes, direction: 'out', segmentSize });
    try {
      const isTooLong = bytes.length > this.link.capabilities.mtu && segmentSize === 0;
      if (isTooLong) throw new Error(`${bytes.length} bytes exceed the MTU`);
      this.#queue.push(this.#read(this.family === '6' ? toIpv4(bytes, partial) : bytes, partial));
    } catch (error) {
      // Thrown to the test rather than into the stack.
      broken.push(this.#failure(`the DUT sent a broken packet: ${(error as Error).message}`, undefined, undefined));
    }
  }

  #read(bytes: Uint8Array, partial: boolean): Seen | SeenIcmp {
    const ip = readIp(bytes);
    if (ip.source !== this.dut.w3 || ip.destination !== this.peer.w3)
      throw new Error('it is not from the DUT to the peer');
    if (ip.protocol === 1 && !icmpChecksumOk(bytes)) throw new Error('wrong ICMP checksum');
    if (ip.protocol === 1) return { type: bytes[20] as number, code: bytes[21] as number, body: bytes.slice(28) };
    const segment = readSegment(bytes, partial);
    const flow = this.#flow(segment.destinationPort);
    const { seq, ack, flags, data } = segment;
    if (flags.includes('S')) {
      if (flow.dutIsn !== seq) flow.dutNext = seq;
      flow.dutIsn = seq;
    }
    this.#checkSignature(flow, bytes, segment);
    const end = (seq + data.length + (/[SF]/.test(flags) ? 1 : 0)) | 0;
    if (((end - flow.dutNext) | 0) > 0 && !flags.includes('R')) flow.dutNext = end;
    return {
      seq: (seq - flow.dutIsn) | 0,
      ack: flags.includes('A') ? (ack - flow.peerIsn) | 0 : ack,
      flags,
      length: data.length,
      data: textOf(data),
      win: segment.win,
      urg: segment.urg,
      ecn: segment.ecn ?? 0,
      options: this.#relativeOptions(flow, segment.options),
      from: segment.sourcePort,
      to: segment.destinationPort,
      at: this.now,
      bytes,
    };
  }

  #relativeOptions(flow: Flow, options: SegmentOptions): SegmentOptions {
    const out: { -readonly [K in keyof SegmentOptions]: SegmentOptions[K] } = { ...options };
    if (options.ts !== undefined) {
      flow.dutStamp ??= (options.ts[0] - Math.floor(this.now)) | 0;
      flow.lastStamp = options.ts[0];
      out.ts = [(options.ts[0] - flow.dutStamp) | 0, options.ts[1]];
    }
    if (options.sack !== undefined) {
      out.sack = options.sack.map(([left, right]) => [(left - flow.peerIsn) | 0, (right - flow.peerIsn) | 0]);
    }
    return out;
  }

  #failure(what: string, actual: unknown, expected: unknown): Error {
    const words = `${what}${actual === undefined ? '' : `: ${text(actual)}`}${expected === undefined ? '' : `, not ${text(expected)}`}`;
    return new AssertionError(`${words}\n${lastLines(this.ladder())}`, { actual, expected, showDiff: false });
  }
}

/** A DUT that listens on SERVICE. */
export function listening(options: PeerOptions = {}): WirePeer {
  const peer = new WirePeer(options);
  peer.listen();
  return peer;
}

/** A DUT whose SYN is out: the peer has it and says nothing yet. */
export function connecting(options: PeerOptions = {}): WirePeer {
  const peer = new WirePeer(options);
  peer.connect();
  peer.expect({ seq: 0, flags: 'S' });
  return peer;
}

/** A DUT with an open connection; nothing but the handshake has been sent. It gives a promise so that it may need time. */
export async function established(options: PeerOptions = {}): Promise<WirePeer> {
  if (options.active === true) {
    const peer = connecting(options);
    peer.inject({ seq: 0, ack: 1, flags: 'SA', options: peer.synOptions });
    peer.expect({ seq: 1, ack: 1, flags: 'A', length: 0 });
    return peer;
  }
  const peer = listening(options);
  peer.handshake();
  peer.accept();
  return peer;
}

/** How often the sequence space has turned between an initial number and one that is not half of it away. */
function turns(isn: number, seq: number): number {
  return Math.floor(((isn >>> 0) + ((seq - isn) | 0)) / 2 ** 32);
}

/** Flips a bit of the first option's digest; the checksum is made good. */
function spoilSignature(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint16(44, view.getUint16(44) ^ 1);
  const checksum = view.getUint16(36);
  const was = view.getUint16(44) ^ 1;
  view.setUint16(36, update16(checksum, was, view.getUint16(44)));
  return bytes;
}

function must(result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: errno ${-result}`);
}

// After each test: its DUTs end, which must leave no memory behind; if it failed, the ladders are added to what it says.

const inUse: WirePeer[] = [];
const broken: Error[] = [];

afterEach(function () {
  const test = this.currentTest;
  const peers = inUse.splice(0);
  const [first] = broken.splice(0);
  if (test?.err !== undefined) {
    for (const peer of peers) {
      if (!test.err.message.includes('time (ms)')) test.err.message += `\n${lastLines(peer.ladder())}`;
      peer.close();
    }
    return;
  }
  for (const peer of peers) {
    const left = peer.close();
    if (left !== 0) throw new Error(`${left} chunk(s) of memory or timer(s) were not given back\n${peer.ladder()}`);
  }
  if (first !== undefined) throw first;
});
