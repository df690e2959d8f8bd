/** ICMP errors about datagrams of ours: who is told of which, and how. RFC 1122 4.1.3.3, in Linux's reading (__udp4_lib_err, __udp6_lib_err). */

import type { QuotedPacket } from '../ip/quoted.ts';
import { REASON_TOO_LARGE } from '../tcp/close-reason.ts';
import type { IcmpError } from '../tcp/icmp-error.ts';
import { PMTUDISC_DONT, PMTUDISC_PROBE } from '../tcp/path.ts';
import { truesize } from '../tcp/receive-memory.ts';
import type { UdpEndpoint } from '../udp/endpoint.ts';
import { IpAddress } from '../wire/address.ts';
import { PROTOCOL_UDP } from '../wire/ipv4.ts';
import { UDP_HEADER_LENGTH } from '../wire/udp.ts';
import type { Stack } from './stack.ts';
import { ANY_DEVICE, type DatagramEnds, type UdpTable } from './udp-table.ts';

/** Before what an error quotes: an IP header, and the first words of ICMP. */
const ICMP_HEADERS = { 4: 20 + 8, 6: 40 + 8 };

export class UdpErrors {
  readonly #stack: Stack;
  readonly #table: UdpTable;

  constructor(stack: Stack, table: UdpTable) {
    this.#stack = stack;
    this.#table = table;
  }

  /** An error quotes a datagram of ours. */
  arrives(quoted: QuotedPacket, view: DataView, error: IcmpError): void {
    const ends = reversed(quoted);
    const endpoint = this.#find(ends, quoted, view);
    if (endpoint === undefined) return;
    if (asks(endpoint, ends)) return this.#keep(endpoint, ends, quoted, view, error.reason, 0);
    // Who is connected is told: it cannot be about another peer. Linux: not of what may pass.
    if (endpoint.remote !== undefined && error.hard) this.#fail(endpoint, error.reason);
  }

  /** A datagram of ours was larger than a hop takes. @param mtu of the hop, bytes; 0: not said */
  tooBig(quoted: QuotedPacket, view: DataView, mtu: number): void {
    const ends = reversed(quoted);
    const endpoint = this.#find(ends, quoted, view);
    if (endpoint === undefined) return;
    const discovery = ends.family === 4 ? endpoint.discovery : endpoint.discovery6;
    // Those who do not believe routers are not touched by what they say: IP_PMTUDISC_INTERFACE and OMIT (Linux).
    if (discovery <= PMTUDISC_PROBE) {
      const local = IpAddress.v6(ends.d0, ends.d1, ends.d2, ends.d3);
      const remote = IpAddress.v6(ends.s0, ends.s1, ends.s2, ends.s3);
      // Linux: nothing is learned of what was sent from no address of ours (IP_TRANSPARENT aside).
      const { network } = this.#stack;
      if (network.isLocal(local) || endpoint.local.equals(local))
        network.pathTo(remote, local, PROTOCOL_UDP)?.tooLarge(mtu);
    }
    if (discovery === PMTUDISC_DONT) return;
    if (asks(endpoint, ends)) this.#keep(endpoint, ends, quoted, view, REASON_TOO_LARGE, mtu);
    else if (endpoint.remote !== undefined) this.#fail(endpoint, REASON_TOO_LARGE);
  }

  #find(ends: DatagramEnds, { offset }: QuotedPacket, view: DataView): UdpEndpoint | undefined {
    return this.#table.find(ends, view.getUint16(offset), view.getUint16(offset + 2), ANY_DEVICE);
  }

  /** IP_RECVERR, IPV6_RECVERR: every error is told, with what was sent. */
  #keep(
    endpoint: UdpEndpoint,
    { family, s0, s1, s2, s3 }: DatagramEnds,
    quoted: QuotedPacket,
    view: DataView,
    reason: number,
    information: number,
  ): void {
    const { offset, length, type, code, from0, from1, from2, from3 } = quoted;
    // Linux keeps the whole packet of ICMP.
    const size = truesize(ICMP_HEADERS[family] + (family === 4 ? 20 : 40) + length);
    const payload = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + offset, length);
    endpoint.keepError(size, (memory) => ({
      family,
      reason,
      type,
      code,
      information,
      offender: IpAddress.v6(from0, from1, from2, from3),
      remote: IpAddress.v6(s0, s1, s2, s3),
      remotePort: view.getUint16(offset + 2),
      payload: payload.slice(UDP_HEADER_LENGTH),
      memory,
    }));
    this.#fail(endpoint, reason);
  }

  /** The next call on the socket fails. */
  #fail(endpoint: UdpEndpoint, reason: number): void {
    endpoint.error = reason;
    this.#stack.tcp.markReady(endpoint);
  }
}

function asks(endpoint: UdpEndpoint, { family }: DatagramEnds): boolean {
  return family === 4 ? endpoint.keepsErrors : endpoint.keepsErrors6;
}

/** What was sent, as its answer would come. */
function reversed(quoted: QuotedPacket): DatagramEnds {
  const { s0: d0, s1: d1, s2: d2, s3: d3, d0: s0, d1: s1, d2: s2, d3: s3 } = quoted;
  const family = d0 === 0 && d1 === 0 && d2 === 0xffff ? 4 : 6;
  return { family, s0, s1, s2, s3, d0, d1, d2, d3 };
}
