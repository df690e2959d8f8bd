/** What each ICMP error means for TCP: RFC 1122 3.2.2.1 and 4.2.3.9, in Linux's reading (icmp_err_convert, tcp_v4_err). */
import {
  REASON_BAD_PARAMETER,
  REASON_HOST_DOWN,
  REASON_HOST_ISOLATED,
  REASON_HOST_UNREACHABLE,
  REASON_NET_UNREACHABLE,
  REASON_NO_PROTOCOL,
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

/** By code of "destination unreachable". */
const UNREACHABLE: readonly IcmpError[] = [
  REASON_NET_UNREACHABLE,
  REASON_HOST_UNREACHABLE,
  REASON_NO_PROTOCOL,
  REASON_REFUSED,
  // Fragmentation needed has a way of its own.
  REASON_TOO_LARGE,
  REASON_SOURCE_ROUTE_FAILED,
  REASON_NET_UNREACHABLE,
  REASON_HOST_DOWN,
  REASON_HOST_ISOLATED,
  REASON_NET_UNREACHABLE,
  REASON_HOST_UNREACHABLE,
  REASON_NET_UNREACHABLE,
  REASON_HOST_UNREACHABLE,
  REASON_HOST_UNREACHABLE,
  REASON_HOST_UNREACHABLE,
  REASON_HOST_UNREACHABLE,
].map((reason, code) => {
  const networkAway = code === ICMP_NET_UNREACHABLE || code === ICMP_HOST_UNREACHABLE;
  return { reason, endsOpening: true, networkAway, endsEmbryo: networkAway };
});

// RFC 9293 3.9.2.2 [MUST-56]: these are soft in every state of a connection, as the next segment may get there (Linux ends an attempt to connect).
const TIME_EXCEEDED: IcmpError = {
  reason: REASON_HOST_UNREACHABLE,
  endsOpening: false,
  networkAway: false,
  endsEmbryo: true,
};
const PARAMETER_PROBLEM: IcmpError = { ...TIME_EXCEEDED, reason: REASON_BAD_PARAMETER };

/** @returns undefined for what means nothing */
export function icmpErrorOf(type: number, code: number): IcmpError | undefined {
  if (type === ICMP_UNREACHABLE) return UNREACHABLE[code];
  if (type === ICMP_TIME_EXCEEDED) return TIME_EXCEEDED;
  return type === ICMP_PARAMETER_PROBLEM ? PARAMETER_PROBLEM : undefined;
}
