/** From the packet that an ICMP error quotes to who sent it, of either family. */
import { QuotedPacket } from '../ip/quoted.ts';
import type { TableEntry } from '../tcp/context.ts';
import { KIND_EMBRYO, KIND_TIME_WAIT } from '../tcp/control-block.ts';
import {
  embryoErrorArrives,
  errorArrives,
  fragmentationNeeded,
  type IcmpError,
  type IcmpReport,
} from '../tcp/icmp-error.ts';
import { ignoresUnreachable } from '../tcp/inbound-signature.ts';
import { IpAddress } from '../wire/address.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import type { Stack } from './stack.ts';

/** One record serves all errors. */
export const quoted = new QuotedPacket();
/** What every error quotes of the upper layer: RFC 792; ports, and TCP's sequence number. */
const LEAST = 8;

/** @param unsigned an error that TCP-AO does not believe */
export function quotedError(
  stack: Stack,
  view: DataView,
  about: QuotedPacket,
  error: IcmpError,
  unsigned: boolean,
  now: number,
): void {
  if (about.length < LEAST) return;
  if (about.protocol === PROTOCOL_UDP) return stack.udp.errors.arrives(about, view, error);
  if (about.protocol !== PROTOCOL_TCP) return;
  const entry = entryOf(stack, view, about);
  if (entry === undefined) return;
  if (unsigned && ignoresUnreachable(stack.tcp, entry)) return stack.drop('tcp-ao-icmp', now);
  if (entry.kind === KIND_TIME_WAIT) return;
  const seq = view.getInt32(about.offset + 4);
  if (entry.kind === KIND_EMBRYO) embryoErrorArrives(entry, error, seq);
  else errorArrives(entry, error, seq, now, () => reportOf(view, about, error));
}

function reportOf(view: DataView, about: QuotedPacket, { reason }: IcmpError): IcmpReport {
  const { offset, length, type, code } = about;
  return {
    reason,
    type,
    code,
    offender: IpAddress.v6(about.from0, about.from1, about.from2, about.from3),
    remote: IpAddress.v6(about.d0, about.d1, about.d2, about.d3),
    remotePort: view.getUint16(offset + 2),
    quoted: new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + offset, length).slice(),
  };
}

/** @param mtu of the hop that it did not fit through, bytes; 0: not said */
export function quotedTooBig(stack: Stack, view: DataView, about: QuotedPacket, mtu: number, now: number): void {
  if (about.length < LEAST) return;
  if (about.protocol === PROTOCOL_UDP) return stack.udp.errors.tooBig(about, view, mtu);
  if (about.protocol !== PROTOCOL_TCP) return;
  const entry = entryOf(stack, view, about);
  // A SYN-ACK fits through everything: nothing of an embryo's can have been too large (Linux).
  if (entry === undefined || entry.kind === KIND_TIME_WAIT || entry.kind === KIND_EMBRYO) return;
  if (ignoresUnreachable(stack.tcp, entry)) return stack.drop('tcp-ao-icmp', now);
  fragmentationNeeded(entry, mtu, view.getInt32(about.offset + 4), now);
}

function entryOf({ demux }: Stack, view: DataView, about: QuotedPacket): TableEntry | undefined {
  const local = IpAddress.v6(about.s0, about.s1, about.s2, about.s3);
  const remote = IpAddress.v6(about.d0, about.d1, about.d2, about.d3);
  return demux.get(local, view.getUint16(about.offset), remote, view.getUint16(about.offset + 2));
}
