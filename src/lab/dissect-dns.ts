/** The readable dissector's DNS: RFC 1035 4.1. */
import { decode } from 'dns-packet';

export interface DissectedDns {
  readonly id: number;
  readonly response: boolean;
  readonly truncated: boolean;
  /** `NOERROR`, `NXDOMAIN`, ... */
  readonly rcode: string;
  /** As in print: `A www.example.com`. */
  readonly questions: readonly string[];
  /** `A 192.0.2.1`, `CNAME web.example.com`. */
  readonly answers: readonly string[];
}

/** @returns undefined for what is no message */
export function dissectDns(bytes: Uint8Array): DissectedDns | undefined {
  try {
    const message = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const { rcode = 'NOERROR' } = message as { rcode?: string };
    return {
      id: message.id ?? 0,
      response: message.type === 'response',
      truncated: message.flag_tc,
      rcode,
      questions: (message.questions ?? []).map(({ type, name }) => `${type} ${name}`),
      answers: (message.answers ?? []).map((answer) => `${answer.type} ${dataOf(answer)}`),
    };
  } catch {
    // Garbage at port 53 is shown as a datagram.
    return undefined;
  }
}

function dataOf(answer: object): string {
  const { data } = answer as { data?: unknown };
  return typeof data === 'string' ? data : (JSON.stringify(data) ?? '');
}
