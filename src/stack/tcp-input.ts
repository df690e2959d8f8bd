/** From a packet to the connection, embryo, TIME-WAIT record or listener that it is for. */

import type { InboundPacket } from '../ip/inbound.ts';
import { CHECKSUM_NONE } from '../link/packet.ts';
import { segmentArrives } from '../tcp/arrives.ts';
import type { TableEntry } from '../tcp/context.ts';
import { KIND_CONNECTION, KIND_TIME_WAIT } from '../tcp/control-block.ts';
import { entryRefuses, listenerRefuses, signerForReset } from '../tcp/inbound-signature.ts';
import type { Listener } from '../tcp/listener.ts';
import { type Arrival, embryoArrives, listenerArrives } from '../tcp/listener-arrives.ts';
import type { Path } from '../tcp/path.ts';
import { replyReset } from '../tcp/reply.ts';
import { issAfter, type TimeWaitRecord, timeWaitArrives } from '../tcp/time-wait.ts';
import { IpAddress } from '../wire/address.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { OK, reasonName, TCP_BAD_CHECKSUM } from '../wire/reasons.ts';
import { ACK, OPT_SIGNED, parseTcp, SYN, TcpSegment, tcpChecksumOk } from '../wire/tcp.ts';
import type { Interface } from './interface.ts';
import type { RoutedPath } from './routed-path.ts';
import type { Stack } from './stack.ts';

export class TcpInput {
  readonly #stack: Stack;
  readonly #segment = new TcpSegment();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  arrives(from: Interface, packet: InboundPacket, now: number): void {
    const segment = this.#segment;
    const { tcp, demux } = this.#stack;
    tcp.counters.InSegs++;
    const reason = this.#read(packet);
    if (reason !== OK) {
      tcp.counters.InErrs++;
      if (reason === TCP_BAD_CHECKSUM) tcp.counters.InCsumErrors++;
      return this.#stack.drop(reasonName(reason), now);
    }
    const entry = demux.find(packet, segment.destinationPort, segment.sourcePort);
    if (entry === undefined || this.#isElsewhere(entry, from, packet))
      return this.#withoutEntry(from, packet, undefined, now);
    // What the host says to itself nobody else has a part in; most segments come in where their answers go out.
    if ((entry.path as RoutedPath).egress !== from && this.#isLie(from, packet))
      return this.#stack.drop('ip-martian-source', now);
    if (entry.kind === KIND_TIME_WAIT) return this.#timeWait(entry, from, packet, now);
    // RFC 5925 7.5: signatures come before all else; who has none, and meets none, pays for two looks.
    const signed = entry.signer !== undefined || (segment.optionBits & OPT_SIGNED) !== 0;
    if (signed && this.#refuses(entry, packet, now)) return;
    if (entry.kind === KIND_CONNECTION) return segmentArrives(entry, segment, packet.chunk, now);
    embryoArrives(entry, segment, packet.chunk, now);
  }

  /** SO_BINDTODEVICE: what comes over another interface is not for that connection. */
  #isElsewhere(entry: TableEntry, from: Interface, packet: InboundPacket): boolean {
    if (entry.kind !== KIND_CONNECTION) return false;
    const { device } = entry.settings.rare;
    return device !== 0 && device !== this.#stack.network.deviceOf(from, packet);
  }

  #timeWait(record: TimeWaitRecord, from: Interface, packet: InboundPacket, now: number): void {
    const segment = this.#segment;
    const listener = this.#listenerFor(from, packet);
    // What begins a new connection is judged by the keys that the listener has now.
    const listens = listener !== undefined || this.#forwards(from);
    const begins = listens && (segment.flags & (SYN | ACK)) === SYN;
    const refused =
      begins && listener !== undefined
        ? this.#refusesFor(listener, packet, record.remote, record.local, now)
        : this.#refuses(record, packet, now);
    if (refused || !timeWaitArrives(record, segment, listens, now)) return;
    this.#withoutEntry(from, packet, issAfter(record), now);
  }

  /** The segment is not signed as the connection's are to be. */
  #refuses(entry: TableEntry, packet: InboundPacket, now: number): boolean {
    const { tcp } = this.#stack;
    if (tcp.hasher === undefined) return false;
    const reason = entryRefuses(tcp, entry, this.#segment, packet.chunk);
    if (reason !== undefined) this.#stack.drop(reason, now);
    return reason !== undefined;
  }

  #refusesFor(
    { settings }: Listener,
    packet: InboundPacket,
    remote: IpAddress,
    local: IpAddress,
    now: number,
  ): boolean {
    const { tcp } = this.#stack;
    const segment = this.#segment;
    if (tcp.hasher === undefined || (settings.keys === undefined && (segment.optionBits & OPT_SIGNED) === 0))
      return false;
    const ends = { local, localPort: segment.destinationPort, remote, remotePort: segment.sourcePort };
    const reason = listenerRefuses(tcp, settings.keys, ends, segment, packet.chunk);
    if (reason !== undefined) this.#stack.drop(reason, now);
    return reason !== undefined;
  }

  #read(packet: InboundPacket): number {
    const segment = this.#segment;
    const { view } = packet.chunk;
    const { payloadOffset, payloadLength, pseudoSum, segmentSize } = packet;
    const reason = parseTcp(view, payloadOffset, payloadLength, segment);
    if (reason !== OK) return reason;
    if (packet.checksum === CHECKSUM_NONE && !tcpChecksumOk(view, payloadOffset, payloadLength, pseudoSum)) {
      return TCP_BAD_CHECKSUM;
    }
    segment.ecn = packet.tos & 3;
    if (segmentSize > 0 && segment.payloadLength > segmentSize) {
      segment.pieceSize = segmentSize;
      segment.pieces = Math.ceil(segment.payloadLength / segmentSize);
    }
    return OK;
  }

  /** For a listener, or for nobody. */
  #withoutEntry(from: Interface, packet: InboundPacket, iss: number | undefined, now: number): void {
    const segment = this.#segment;
    // RFC 9293 3.9.2.3 [MUST-57], [MUST-63]: no answer to a broadcast or multicast address, and no connection with one.
    const source = IpAddress.v6(packet.s0, packet.s1, packet.s2, packet.s3);
    if (source.isMulticast || source.isUnspecified || this.#stack.network.isBroadcast(source))
      return this.#stack.drop('tcp-bad-source', now);
    // The same of an address that many hear: with IPv4 such segments do not get here.
    if (packet.family === 6 && packet.d0 >>> 24 === 0xff) return this.#stack.drop('tcp-bad-destination', now);
    if (this.#isLie(from, packet)) return this.#stack.drop('ip-martian-source', now);
    const arrival = new PacketArrival(this.#stack, from, packet, source);
    const listener = this.#listenerFor(from, packet);
    if (listener !== undefined) {
      // One that ended a TIME-WAIT has been looked at.
      if (iss === undefined && this.#refusesFor(listener, packet, source, arrival.local, now)) return;
      arrival.replyPath.relabel();
      arrival.device = listener.settings.rare.device;
      return listenerArrives(listener, segment, packet.chunk, arrival, iss, now);
    }
    if (this.#forwards(from) && this.#stack.pendingSyns?.arrives(from, packet, segment, arrival, iss, now)) return;
    this.#stack.drop('tcp-no-socket', now);
    this.#reset(from, packet, arrival);
  }

  /** RFC 1122 3.2.1.3: our own address as the source of what came from outside is a lie (the "land" attack). */
  #isLie(from: Interface, { s0, s1, s2, s3 }: InboundPacket): boolean {
    const { network } = this.#stack;
    return !network.isLoopback(from) && network.hasAddress(s0, s1, s2, s3);
  }

  /** Whether somebody decides about SYNs for which nobody listens. */
  #forwards(from: Interface): boolean {
    return from.acceptAny && this.#stack.pendingSyns !== undefined;
  }

  /** The listener that the segment would find. */
  #listenerFor(from: Interface, packet: InboundPacket): Listener | undefined {
    const { network, demux } = this.#stack;
    const { destinationPort, sourcePort } = this.#segment;
    return demux.findListener(packet, destinationPort, sourcePort, network.deviceOf(from, packet));
  }

  #reset(from: Interface, packet: InboundPacket, { local, remote, replyPath }: PacketArrival): void {
    const { tcp, demux, network } = this.#stack;
    const segment = this.#segment;
    if ((segment.optionBits & OPT_SIGNED) === 0) return replyReset(tcp, replyPath, segment);
    const keys = demux.findListener(packet, segment.sourcePort, 0, network.deviceOf(from, packet))?.settings.keys;
    const ends = { local, localPort: segment.destinationPort, remote, remotePort: segment.sourcePort };
    const signer = signerForReset(tcp, keys, ends, segment, packet.chunk);
    if (signer !== 'none') replyReset(tcp, replyPath, segment, signer);
  }
}

/** Made for segments that no connection waits for: SYNs, and those that a RST answers. */
class PacketArrival implements Arrival {
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly replyPath: RoutedPath;
  /** The one interface that the connection may go over; 0: any. */
  device = 0;
  readonly #stack: Stack;
  readonly #from: Interface;
  readonly #packet: InboundPacket;

  constructor(stack: Stack, from: Interface, packet: InboundPacket, remote: IpAddress) {
    this.#stack = stack;
    this.#from = from;
    this.#packet = packet;
    this.remote = remote;
    this.local = stack.network.shared(IpAddress.v6(packet.d0, packet.d1, packet.d2, packet.d3));
    this.replyPath = stack.network.pathBack(from, this.local, remote, PROTOCOL_TCP);
  }

  headers({ payloadOffset }: TcpSegment): Uint8Array {
    const { chunk, headerOffset } = this.#packet;
    return chunk.bytes.slice(headerOffset, payloadOffset);
  }

  makePath(): Path | undefined {
    // Who can be anybody stays on the link that took it for that: other ways would drop its packets as lies.
    if (this.#from.acceptAny && !this.#stack.network.isLocal(this.local)) return this.replyPath;
    const path = this.#stack.network.pathTo(this.remote, this.local, PROTOCOL_TCP, this.device);
    if (path === undefined) return this.replyPath;
    // RFC 6437 3: the whole flow has one label.
    path.flowLabel = this.replyPath.flowLabel;
    return path;
  }
}
