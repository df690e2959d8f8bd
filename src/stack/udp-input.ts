/** From a packet to the sockets that its datagram is for; and all sockets of UDP at once. RFC 768. */
import type { InboundPacket } from '../ip/inbound.ts';
import { REASON_NETWORK_DOWN } from '../tcp/close-reason.ts';
import { endpointText } from '../tcp/control-block.ts';
import { truesize } from '../tcp/receive-memory.ts';
import { type NamedUdpCounters, namedCounters, UdpCounters } from '../udp/counters.ts';
import type { UdpEndpoint } from '../udp/endpoint.ts';
import { readDatagram } from '../udp/input.ts';
import { PayloadArena } from '../udp/output.ts';
import { QueuedDatagram } from '../udp/queue.ts';
import { RingPool } from '../udp/ring-pool.ts';
import { OK, reasonName, UDP_BAD_CHECKSUM } from '../wire/reasons.ts';
import { UdpHeader } from '../wire/udp.ts';
import type { SocketStatus } from './connections.ts';
import { reportUnreachable } from './icmp-reports.ts';
import type { Interface } from './interface.ts';
import type { Stack } from './stack.ts';
import { UdpErrors } from './udp-errors.ts';
import { scoreOf, UdpTable } from './udp-table.ts';

export class UdpInput {
  readonly table: UdpTable;
  readonly errors: UdpErrors;
  readonly pool = new RingPool();
  /** Payloads on their way out. */
  readonly arena: PayloadArena;
  readonly counters4 = new UdpCounters();
  readonly counters6 = new UdpCounters();
  readonly #stack: Stack;
  readonly #header = new UdpHeader();
  readonly #datagram = new QueuedDatagram();
  /** Those that found no room to send. */
  readonly #blocked = new Set<UdpEndpoint>();
  /** For each interface, those of whose datagrams some may still wait for its link, and what these take of their send buffers, bytes. */
  readonly #sending = new Map<Interface, Map<UdpEndpoint, number>>();

  constructor(stack: Stack) {
    this.#stack = stack;
    this.table = new UdpTable(stack.sysctl, stack.random);
    this.errors = new UdpErrors(stack, this.table);
    this.arena = new PayloadArena(stack.slab);
  }

  get counters(): NamedUdpCounters {
    return namedCounters(this.counters4, this.counters6);
  }

  countersOf(family: 4 | 6): UdpCounters {
    return family === 4 ? this.counters4 : this.counters6;
  }

  /** A datagram for this host: to one of its addresses, or to everybody on a network of its. */
  arrives(from: Interface, packet: InboundPacket, now: number): void {
    const counters = this.countersOf(packet.family);
    const header = this.#header;
    const reason = readDatagram(packet, header);
    if (reason !== OK) {
      counters.InErrors++;
      if (reason === UDP_BAD_CHECKSUM) counters.InCsumErrors++;
      return this.#stack.drop(reasonName(reason), now);
    }
    if (!isOneHost(packet) || !this.#believable(from, packet)) return this.#stack.drop('ip-martian-source', now);
    const device = this.#stack.network.deviceOf(from, packet);
    if (!this.#isForOne(packet)) return this.#toAll(packet, device, now);
    const endpoint = this.table.find(packet, header.destinationPort, header.sourcePort, device);
    if (endpoint !== undefined) return this.#deliver(endpoint, packet, device, now);
    counters.NoPorts++;
    // RFC 1122 4.1.3.1: nobody is there, and the sender is told so.
    this.#stack.drop('udp-no-socket', now);
    reportUnreachable(this.#stack, from, packet, 'port', now);
  }

  /** A datagram of the endpoint's waits for the link of that interface. @param memory what it takes of the send buffer, bytes */
  sent(endpoint: UdpEndpoint, over: Interface, memory: number): void {
    endpoint.sending += memory;
    let waiting = this.#sending.get(over);
    if (waiting === undefined) {
      waiting = new Map();
      this.#sending.set(over, waiting);
    }
    waiting.set(endpoint, (waiting.get(endpoint) ?? 0) + memory);
    this.#stack.wake();
  }

  /** The interfaces have handed over what they could. */
  flushed(): void {
    this.arena.rest();
    let hasRoom = false;
    for (const [over, waiting] of this.#sending) {
      if (waiting.size === 0 || over.waiting > 0) continue;
      for (const [endpoint, memory] of waiting) endpoint.sending -= memory;
      waiting.clear();
      hasRoom = true;
    }
    if (hasRoom) this.writable();
  }

  /** There was no room: the endpoint is told when there is some. */
  awaitRoom(endpoint: UdpEndpoint): void {
    endpoint.noSpace = true;
    this.#blocked.add(endpoint);
  }

  /** There is room again. */
  writable(): void {
    for (const endpoint of this.#blocked) {
      endpoint.noSpace = false;
      this.#stack.tcp.markReady(endpoint);
    }
    this.#blocked.clear();
  }

  /** The endpoint is no more. */
  remove(endpoint: UdpEndpoint): void {
    if (endpoint.localPort !== 0) this.table.remove(endpoint);
    this.#blocked.delete(endpoint);
    for (const waiting of this.#sending.values()) waiting.delete(endpoint);
    endpoint.queue.clear();
    endpoint.forgetErrors();
  }

  /** As `ss -uan` shows them. */
  list(): SocketStatus[] {
    return [...this.table.endpoints()].map(({ family, local, localPort, remote, remotePort, memory, sending }) => ({
      netid: 'udp',
      state: remote === undefined ? 'UNCONN' : 'ESTAB',
      local: endpointText(local, localPort),
      remote: remote === undefined ? (family === 6 ? '[::]:*' : '0.0.0.0:*') : endpointText(remote, remotePort),
      recvQ: memory,
      sendQ: sending,
    }));
  }

  /** The host ends: every socket is told that the network is down. */
  close(): void {
    for (const endpoint of [...this.table.endpoints()]) {
      endpoint.error = REASON_NETWORK_DOWN;
      this.remove(endpoint);
      this.#stack.tcp.markReady(endpoint);
    }
    this.arena.rest();
  }

  /** Not to everybody, nor to a group. */
  #isForOne(packet: InboundPacket): boolean {
    if (packet.family === 6) return packet.d0 >>> 24 !== 0xff;
    return packet.d3 >>> 28 !== 0xe && !this.#stack.network.isBroadcast4(packet.d3);
  }

  /** RFC 1122 3.2.1.3: a source is one host, and not this one when the packet came from outside. */
  #believable(from: Interface, packet: InboundPacket): boolean {
    const { network } = this.#stack;
    if (network.isLoopback(from)) return true;
    if (packet.family === 4 && network.isBroadcast4(packet.s3)) return false;
    return !network.hasAddress(packet.s0, packet.s1, packet.s2, packet.s3);
  }

  /** RFC 1122 3.3.6, 4.1.3.5: everybody who listens gets it; nobody is answered. */
  #toAll(packet: InboundPacket, device: number, now: number): void {
    const { sourcePort, destinationPort } = this.#header;
    let taken = false;
    for (const endpoint of this.table.at(destinationPort)) {
      if (scoreOf(endpoint, packet, sourcePort, device) === 0) continue;
      this.#deliver(endpoint, packet, device, now);
      taken = true;
    }
    if (taken) return;
    this.countersOf(packet.family).IgnoredMulti++;
    this.#stack.drop('udp-no-socket', now);
  }

  #deliver(endpoint: UdpEndpoint, packet: InboundPacket, device: number, now: number): void {
    const { queue } = endpoint;
    const header = this.#header;
    const memory = truesize(packet.headerLength + packet.payloadLength);
    // What finds the queue empty is taken whatever its size (Linux).
    if (endpoint.memory > 0 && endpoint.memory + memory > endpoint.rcvBuf) {
      const counters = this.countersOf(packet.family);
      counters.RcvbufErrors++;
      counters.InErrors++;
      return this.#stack.drop('udp-receive-buffer-full', now);
    }
    const datagram = this.#datagram;
    datagram.length = header.payloadLength;
    datagram.memory = memory;
    datagram.sourcePort = header.sourcePort;
    datagram.tos = packet.tos;
    datagram.ttl = packet.ttl;
    datagram.s0 = packet.s0;
    datagram.s1 = packet.s1;
    datagram.s2 = packet.s2;
    datagram.s3 = packet.s3;
    datagram.d0 = packet.d0;
    datagram.d1 = packet.d1;
    datagram.d2 = packet.d2;
    datagram.d3 = packet.d3;
    datagram.interfaceIndex = device;
    queue.push(datagram, packet.chunk.bytes, header.payloadOffset);
    this.#stack.tcp.markReady(endpoint);
  }
}

/** The source is not a group, nor everybody, nor nobody: but one who asks everybody for an address has none yet. */
function isOneHost({ family, s0, s1, s2, s3, d3 }: InboundPacket): boolean {
  if (family === 6) return s0 >>> 24 !== 0xff && (s0 | s1 | s2 | s3) !== 0;
  return s3 >>> 28 !== 0xe && s3 !== -1 && (s3 >>> 24 !== 0 || (s3 === 0 && d3 === -1));
}
