/** ICMP's and ICMPv6's types and codes, by packetdrill's names. */
import {
  ICMP_ADMIN_PROHIBITED,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
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
  ICMP_PARAMETER_PROBLEM,
  ICMP_PORT_UNREACHABLE,
  ICMP_PRECEDENCE_CUTOFF,
  ICMP_PRECEDENCE_VIOLATION,
  ICMP_PROTOCOL_UNREACHABLE,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  ICMP_SOURCE_ROUTE_FAILED,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../wire/icmp.ts';
import {
  ICMPV6_ADDRESS_UNREACHABLE,
  ICMPV6_ADMIN_PROHIBITED,
  ICMPV6_BEYOND_SCOPE,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_NO_ROUTE,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_POLICY_FAILED,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_REJECT_ROUTE,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
} from '../wire/icmpv6.ts';

export interface IcmpType {
  readonly type: number;
  readonly codes?: Readonly<Record<string, number>>;
  /** It quotes the packet that it is about. */
  readonly quotes?: true;
}

/** The codes of those that have several. */
export const TYPES_4: Readonly<Record<string, IcmpType>> = {
  echo_reply: { type: ICMP_ECHO_REPLY },
  unreachable: {
    type: ICMP_UNREACHABLE,
    codes: {
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
    },
    quotes: true,
  },
  source_quench: { type: ICMP_SOURCE_QUENCH, quotes: true },
  redirect: {
    type: ICMP_REDIRECT,
    codes: { net_redirect: 0, host_redirect: 1, net_redirect_for_tos: 2, host_redirect_for_tos: 3 },
    quotes: true,
  },
  echo_request: { type: ICMP_ECHO_REQUEST },
  time_exceeded: {
    type: ICMP_TIME_EXCEEDED,
    codes: { ttl_exceeded: 0, reassembly_time_exceeded: 1 },
    quotes: true,
  },
  parameter_problem: { type: ICMP_PARAMETER_PROBLEM, quotes: true },
  timestamp_request: { type: 13 },
  timestamp_reply: { type: 14 },
  info_request: { type: 15 },
  info_reply: { type: 16 },
  address_mask_request: { type: 17 },
  address_mask_reply: { type: 18 },
};

export const TYPES_6: Readonly<Record<string, IcmpType>> = {
  unreachable: {
    type: ICMPV6_UNREACHABLE,
    codes: {
      no_route: ICMPV6_NO_ROUTE,
      net_unreachable: ICMPV6_NO_ROUTE,
      admin_prohibited: ICMPV6_ADMIN_PROHIBITED,
      beyond_scope: ICMPV6_BEYOND_SCOPE,
      not_neighbour: ICMPV6_BEYOND_SCOPE,
      address_unreachable: ICMPV6_ADDRESS_UNREACHABLE,
      host_unreachable: ICMPV6_ADDRESS_UNREACHABLE,
      port_unreachable: ICMPV6_PORT_UNREACHABLE,
      policy_failed: ICMPV6_POLICY_FAILED,
      reject_route: ICMPV6_REJECT_ROUTE,
    },
    quotes: true,
  },
  packet_too_big: { type: ICMPV6_PACKET_TOO_BIG, quotes: true },
  time_exceeded: {
    type: ICMPV6_TIME_EXCEEDED,
    codes: { exceeded_transit: 0, ttl_exceeded: 0, exceeded_reassembly: 1, reassembly_time_exceeded: 1 },
    quotes: true,
  },
  parameter_problem: {
    type: ICMPV6_PARAMETER_PROBLEM,
    codes: { erroneous_header: 0, unrecognized_next_header: 1, unrecognized_option: 2 },
    quotes: true,
  },
  echo_request: { type: ICMPV6_ECHO_REQUEST },
  echo_reply: { type: ICMPV6_ECHO_REPLY },
};

export function icmpTypes(family: 4 | 6): Readonly<Record<string, IcmpType>> {
  return family === 4 ? TYPES_4 : TYPES_6;
}
