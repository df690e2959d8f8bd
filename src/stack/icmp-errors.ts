/**
 * What each ICMP error means for the protocols above: RFC 1122 3.2.2.1 and 4.2.3.9, RFC 4443 3, in Linux's reading (icmp_err_convert, tcp_v4_err;
 * icmpv6_err_convert, tcp_v6_err).
 */
import {
  REASON_BAD_PARAMETER,
  REASON_HOST_DOWN,
  REASON_HOST_ISOLATED,
  REASON_HOST_UNREACHABLE,
  REASON_NET_UNREACHABLE,
  REASON_NO_PROTOCOL,
  REASON_PROHIBITED,
  REASON_REFUSED,
  REASON_SOURCE_ROUTE_FAILED,
  REASON_TOO_LARGE,
} from '../tcp/close-reason.ts';
import type { IcmpError } from '../tcp/icmp-error.ts';
import {
  ICMP_HOST_UNREACHABLE,
  ICMP_NET_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../wire/icmp.ts';
import { ICMPV6_NO_ROUTE, ICMPV6_PARAMETER_PROBLEM, ICMPV6_TIME_EXCEEDED, ICMPV6_UNREACHABLE } from '../wire/icmpv6.ts';

/** By code of "destination unreachable": what it means, and whether it is hard. */
const UNREACHABLE: readonly IcmpError[] = (
  [
    [REASON_NET_UNREACHABLE, false],
    [REASON_HOST_UNREACHABLE, false],
    [REASON_NO_PROTOCOL, true],
    [REASON_REFUSED, true],
    // Fragmentation needed has a way of its own.
    [REASON_TOO_LARGE, false],
    [REASON_SOURCE_ROUTE_FAILED, false],
    [REASON_NET_UNREACHABLE, true],
    [REASON_HOST_DOWN, true],
    [REASON_HOST_ISOLATED, true],
    [REASON_NET_UNREACHABLE, true],
    [REASON_HOST_UNREACHABLE, true],
    [REASON_NET_UNREACHABLE, false],
    [REASON_HOST_UNREACHABLE, false],
    [REASON_HOST_UNREACHABLE, true],
    [REASON_HOST_UNREACHABLE, true],
    [REASON_HOST_UNREACHABLE, true],
  ] as const
).map(([reason, hard], code) => {
  const networkAway = code === ICMP_NET_UNREACHABLE || code === ICMP_HOST_UNREACHABLE;
  return { reason, endsOpening: true, networkAway, endsEmbryo: networkAway, hard };
});

const UNREACHABLE6: readonly IcmpError[] = (
  [
    [REASON_NET_UNREACHABLE, false],
    [REASON_PROHIBITED, true],
    [REASON_HOST_UNREACHABLE, false],
    [REASON_HOST_UNREACHABLE, false],
    [REASON_REFUSED, true],
    [REASON_PROHIBITED, true],
    [REASON_PROHIBITED, true],
  ] as const
).map(([reason, hard], code) => {
  return { reason, endsOpening: true, networkAway: code === ICMPV6_NO_ROUTE, endsEmbryo: hard, hard };
});

// RFC 9293 3.9.2.2 [MUST-56]: these are soft in every state of a connection, as the next segment may get there (Linux ends an attempt to connect).
const TIME_EXCEEDED: IcmpError = {
  reason: REASON_HOST_UNREACHABLE,
  endsOpening: false,
  networkAway: false,
  endsEmbryo: true,
  hard: false,
};
const PARAMETER_PROBLEM: IcmpError = { ...TIME_EXCEEDED, reason: REASON_BAD_PARAMETER, hard: true };
const TIME_EXCEEDED6: IcmpError = { ...TIME_EXCEEDED, endsEmbryo: false };

/** @returns undefined for what means nothing */
export function icmpErrorOf(type: number, code: number): IcmpError | undefined {
  if (type === ICMP_UNREACHABLE) return UNREACHABLE[code];
  if (type === ICMP_TIME_EXCEEDED) return TIME_EXCEEDED;
  return type === ICMP_PARAMETER_PROBLEM ? PARAMETER_PROBLEM : undefined;
}

/** @returns undefined for what means nothing */
export function icmpv6ErrorOf(type: number, code: number): IcmpError | undefined {
  if (type === ICMPV6_UNREACHABLE) return UNREACHABLE6[code];
  if (type === ICMPV6_TIME_EXCEEDED) return TIME_EXCEEDED6;
  return type === ICMPV6_PARAMETER_PROBLEM ? PARAMETER_PROBLEM : undefined;
}
