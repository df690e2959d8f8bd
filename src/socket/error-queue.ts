/** ICMP errors that a socket of TCP keeps for MSG_ERRQUEUE: those that ended an attempt to connect (Linux's ip_icmp_error in tcp_v4_err). */
import type { IcmpReport } from '../tcp/icmp-error.ts';
import { MSG_ERRQUEUE, MSG_TRUNC } from './constants.ts';
import { errnoOf } from './reason-errno.ts';
import type { ReceivedMessage } from './receiving.ts';

/** The bytes are what was quoted of the segment, from its header on. */
export function messageOf(report: IcmpReport, list: readonly Uint8Array[]): ReceivedMessage {
  const { reason, type, code, offender, remote, remotePort, quoted } = report;
  let length = 0;
  for (const into of list) {
    const part = quoted.subarray(length, length + into.length);
    into.set(part);
    length += part.length;
  }
  return {
    length,
    flags: MSG_ERRQUEUE | (length < quoted.length ? MSG_TRUNC : 0),
    inq: undefined,
    from: { address: remote, port: remotePort },
    error: { errno: errnoOf(reason), origin: offender.family === 4 ? 2 : 3, type, code, info: 0, offender },
  };
}

export function asksForErrors(flags: number): boolean {
  return (flags & MSG_ERRQUEUE) !== 0;
}

/** As recv tells it. */
export function lengthOf(message: ReceivedMessage | number): number {
  return typeof message === 'number' ? message : message.length;
}
