/** Packets in packetdrill's own notation. */
import { ACK } from '../wire/tcp.ts';
import { optionText } from './option-bytes.ts';
import { FLAG_LETTERS } from './parse-packet.ts';
import type { IpSpec, TcpSpec } from './script.ts';
import type { Segment } from './segment.ts';

const ECN_NAMES = ['noecn', 'ect1', 'ect0', 'ce'];

/** `0.100000`. */
export function timeText(ms: number): string {
  return (ms / 1000).toFixed(6);
}

/** `> P. 1:1001(1000) ack 1 win 256 <nop,nop,TS val 100 ecr 200>`, in whatever numbers the segment has. */
export function segmentText(direction: 'in' | 'out', segment: Segment, ip: IpSpec = {}): string {
  const { seq, length, ack, win, urg, flags, options } = segment;
  const words = [
    direction === 'in' ? '<' : '>',
    ...ipWords({ ...(ip.ecn === undefined ? {} : { ecn: segment.tos & 3 }) }),
  ];
  words.push(flagText(flags), `${seq}:${(seq + length) >>> 0}(${length})`);
  if ((flags & ACK) !== 0) words.push(`ack ${ack}`);
  words.push(`win ${win}`);
  if (urg !== 0) words.push(`urg ${urg}`);
  if (options.length > 0) words.push(`<${options.map(optionText).join(',')}>`);
  return words.join(' ');
}

export function specText(direction: 'in' | 'out', spec: TcpSpec): string {
  const { seq, length, ack, win, urg, flags, options } = spec;
  const words = [direction === 'in' ? '<' : '>', ...ipWords(spec.ip)];
  words.push(flags === 'any' ? '*' : flagText(flags), `${seq}:${(seq + length) >>> 0}(${length})`);
  if (ack !== undefined) words.push(`ack ${ack}`);
  if (win !== undefined) words.push(`win ${win}`);
  if (urg !== undefined) words.push(`urg ${urg}`);
  if (options === 'any') words.push('<...>');
  else if (options.length > 0) words.push(`<${options.map(optionText).join(',')}>`);
  return words.join(' ');
}

/** `S.`, `P.`, `-`. */
export function flagText(flags: number): string {
  const letters = FLAG_LETTERS.filter(([, bit]) => (flags & bit) !== 0).map(([letter]) => letter);
  return letters.join('') || '-';
}

function ipWords({ ecn, tos, ttl, flowLabel }: IpSpec): string[] {
  const words: string[] = [];
  if (ecn !== undefined) words.push(ecn === 'ect' ? 'ect01' : (ECN_NAMES[ecn] as string));
  if (tos !== undefined) words.push(`tos 0x${tos.toString(16)}`);
  if (ttl !== undefined) words.push(`ttl ${ttl}`);
  if (flowLabel !== undefined) words.push(`flowlabel 0x${flowLabel.toString(16)}`);
  return words.length === 0 ? [] : [`[${words.join(', ')}]`];
}
