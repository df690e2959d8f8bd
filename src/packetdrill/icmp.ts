/** ICMP messages of the script's about the connection under test. */
import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_HOST_ISOLATED,
  ICMP_HOST_PROHIBITED,
  ICMP_HOST_TOS,
  ICMP_HOST_UNKNOWN,
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_PROHIBITED,
  ICMP_NET_TOS,
  ICMP_NET_UNKNOWN,
  ICMP_NET_UNREACHABLE,
  ICMP_PORT_UNREACHABLE,
  ICMP_PRECEDENCE_CUTOFF,
  ICMP_PRECEDENCE_VIOLATION,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_SOURCE_ROUTE_FAILED,
} from '../wire/icmp.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { Flow } from './flow.ts';
import type { IcmpSpec } from './script.ts';
import { buildSegment, buildUnreachable } from './segment.ts';

/** As packetdrill names the codes of `unreachable`. */
const CODES: Readonly<Record<string, number>> = {
  net_unreachable: ICMP_NET_UNREACHABLE,
  host_unreachable: ICMP_HOST_UNREACHABLE,
  protocol_unreachable: ICMP_PROTOCOL_UNREACHABLE,
  port_unreachable: ICMP_PORT_UNREACHABLE,
  frag_needed: ICMP_FRAGMENTATION_NEEDED,
  source_route_failed: ICMP_SOURCE_ROUTE_FAILED,
  net_unknown: ICMP_NET_UNKNOWN,
  host_unknown: ICMP_HOST_UNKNOWN,
  host_isolated: ICMP_HOST_ISOLATED,
  source_host_isolated: ICMP_HOST_ISOLATED,
  net_prohibited: ICMP_NET_PROHIBITED,
  host_prohibited: ICMP_HOST_PROHIBITED,
  net_unreachable_for_tos: ICMP_NET_TOS,
  host_unreachable_for_tos: ICMP_HOST_TOS,
  packet_filtered: ICMP_ADMIN_PROHIBITED,
  precedence_violation: ICMP_PRECEDENCE_VIOLATION,
  precedence_cutoff: ICMP_PRECEDENCE_CUTOFF,
};

/** What an error quotes: the IP header and eight bytes, RFC 792. */
const QUOTED = 28;

/** @param from who says so, int32 @throws UnsupportedFeature, ScriptFailure */
export function icmpPacket({ type, code, mtu, quoted }: IcmpSpec, flow: Flow, from: number): Uint8Array {
  if (type === 'packet_too_big') throw new UnsupportedFeature('IPv6');
  if (type !== 'unreachable') throw new UnsupportedFeature(`ICMP ${type}`);
  const number = CODES[code ?? 'net_unreachable'];
  if (number === undefined) throw new ScriptFailure(`ICMP unreachable has no code ${code}`);
  const { local, remote } = flow.ends;
  const ends = { source: local, sourcePort: flow.localPort, destination: remote, destinationPort: flow.remotePort };
  // Without a quotation: the SYN while that is all there is, then the first byte.
  const seq = flow.quotedSeq(quoted?.seq ?? (flow.opening ? 0 : 1));
  const segment = { tos: 0, ttl: 64, flags: 0, seq, ack: 0, win: 0, urg: 0, options: [], length: quoted?.length ?? 0 };
  return buildUnreachable(from, local, number, mtu ?? 0, buildSegment(ends, segment).subarray(0, QUOTED));
}
